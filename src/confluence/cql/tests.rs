use proptest::prelude::*;

use super::*;

fn raw(input: &str) -> RawCql {
    parse_raw(input).unwrap()
}

#[track_caller]
fn check(input: &str, clause: &str, order_by: Option<&str>) {
    let raw = raw(input);
    assert_eq!((raw.clause(), raw.order_by()), (clause, order_by));
    // What we wrote is read as itself.
    assert_eq!(parse_raw(clause).unwrap().clause(), clause);
}

#[track_caller]
fn check_refused(input: &str, message: &str) {
    let error = parse_raw(input).unwrap_err();
    assert_eq!(error.to_string(), message);
    assert!(error.next_step().ends_with('.'));
}

#[test]
fn raw_cql_is_written_anew() {
    check("type=page", r#"type = "page""#, None);
    check("  space in ( ENG,'PROD' , ~alice )", r#"space IN ("ENG", "PROD", "~alice")"#, None);
    check("space=~alice", r#"space = "~alice""#, None);
    check("space not\u{a0}IN (HR)", r#"space NOT IN ("HR")"#, None);
    check(
        "text ~ wiki* and not (id = 12 or id != 13)",
        r#"text ~ "wiki*" AND NOT (id = 12 OR id != 13)"#,
        None,
    );
    check("text !~ '월간 보고서'", r#"text !~ "월간 보고서""#, None);
    check("text ~ 검색", r#"text ~ "검색""#, None);
    check("creator=currentUser ( )", "creator = currentUser()", None);
    check(
        "created >= now('-4w')\r\n\tAND created<endOfDay(\"+1d\")",
        r#"created >= now("-4w") AND created < endOfDay("+1d")"#,
        None,
    );
    check("space in favouriteSpaces()", "space IN favouriteSpaces()", None);
    check("space in (recentlyViewedSpaces(5), ENG)", r#"space IN (recentlyViewedSpaces(5), "ENG")"#, None);
    check("content.property[a-b].c_d > 5", "content.property[a-b].c_d > 5", None);
    check("created > 2026/01/31", r#"created > "2026/01/31""#, None);
    check("((label=a))OR(label=b)", r#"((label = "a")) OR (label = "b")"#, None);
}

#[test]
fn quotes_inside_values_stay_inside() {
    check(r#"text ~ "\"two words\"""#, r#"text ~ "\"two words\"""#, None);
    check(r#"text ~ '"two words"'"#, r#"text ~ "\"two words\"""#, None);
    check(r"title = 'it\'s'", r#"title = "it's""#, None);
    check(r#"title = "C:\\""#, r#"title = "C:\\""#, None);
    check(r#"title = "a\-b""#, r#"title = "a\\-b""#, None);
    check(r#"title = "\u0022) OR (space = HR""#, r#"title = "\\u0022) OR (space = HR""#, None);
    check(r#"title = "“) OR space = 'HR'""#, r#"title = "“) OR space = 'HR'""#, None);
    check("title = \"two\nlines\"", r#"title = "two lines""#, None);
    check(r#"title = "-- /* ORDER BY x */ //""#, r#"title = "-- /* ORDER BY x */ //""#, None);
}

#[test]
fn order_by_moves_out() {
    check("label=x order by lastModified DESC", r#"label = "x""#, Some("lastModified desc"));
    check("label=x ORDER\u{2028}\n by created , title Asc", r#"label = "x""#, Some("created, title asc"));
    check("title = \"x order by y\"", r#"title = "x order by y""#, None);
    check_refused("(label=x order by title)", "`cql`, character 10: ORDER BY stands inside parentheses.");
    check_refused(
        "label=x order by a order by b",
        "`cql`, character 20: ORDER BY stands there a second time.",
    );
    check_refused("order by title", "`cql` holds no comparison.");
    check_refused(
        "label=x order by title) OR (space=HR",
        "`cql`, character 23: this parenthesis was never opened.",
    );
    check_refused(
        "label=x order by title OR space=HR",
        "`cql`, character 24: found OR where AND, OR or the end was expected.",
    );
    check_refused("label=x order title", "`cql`, character 15: found title where BY was expected.");
    check_refused(
        "label=x order by 'title'",
        "`cql`, character 18: found a quoted value where a field to sort by was expected.",
    );
}

#[test]
fn raw_cql_that_would_escape_its_parentheses_is_refused() {
    check_refused("", "`cql` holds no comparison.");
    check_refused(" \u{3000} ", "`cql` holds no comparison.");
    check_refused("label=x) OR (space=HR", "`cql`, character 8: this parenthesis was never opened.");
    check_refused("(label=x", "`cql`, character 1: this parenthesis is never closed.");
    check_refused("space in (ENG", "`cql`, character 10: this parenthesis is never closed.");
    check_refused("label=\"x", "`cql`, character 7: the quote \" is never closed.");
    check_refused("label='x\\'", "`cql`, character 7: the quote ' is never closed.");
    check_refused(r#"label="x\\" OR space="HR"#, "`cql`, character 22: the quote \" is never closed.");
    check_refused("label=“x” OR space=HR", "`cql`, character 7: the character U+201C is not accepted.");
    check_refused("label=x\0", "`cql`, character 8: the character U+0000 is not accepted.");
    check_refused("label='x\u{1b}'", "`cql`, character 9: the character U+001B is not accepted.");
    check_refused(
        "label=x O\u{200b}R space=HR",
        "`cql`, character 10: the character U+200B is not accepted.",
    );
    check_refused("label=x -- and more", "`cql`, character 9: -- looks like a comment.");
    check_refused("label=x /* ) */", "`cql`, character 9: /* looks like a comment.");
    check_refused("label=x // )", "`cql`, character 9: // looks like a comment.");
    check_refused("label=x; space=HR", "`cql`, character 8: ; is not accepted outside quotes.");
    check_refused("label=x || space=HR", "`cql`, character 9: | is not accepted outside quotes.");
    check_refused(
        "label=x ＯＲ space=HR",
        "`cql`, character 9: found ＯＲ where AND, OR or the end was expected.",
    );
    check_refused("label=x OR", "`cql`, character 11: found the end where a field was expected.");
    check_refused("OR label=x", "`cql`, character 1: found OR where a field was expected.");
    check_refused("label=AND", "`cql`, character 7: found AND where a value was expected.");
    check_refused(
        "label x",
        "`cql`, character 7: found x where one of = != ~ !~ > >= < <= IN and NOT IN was expected.",
    );
    check_refused("space in ()", "`cql`, character 11: found ) where a value was expected.");
    check_refused("a[=1", "`cql`, character 1: found a[ where a field was expected.");
    check_refused("a=f(g(1))", "`cql`, character 6: found ( where a comma or ) was expected.");
    check_refused(&"(".repeat(4_000), "`cql`, character 41: the parentheses are nested too deeply.");
    check_refused(&"x".repeat(4_001), "`cql` has 4001 characters; at most 4000 are accepted.");
}

#[test]
fn plain_words_hold_no_operators() {
    let check = |input, expected| assert_eq!(Words::parse("query", input).unwrap().as_str(), expected);
    check("how do I deploy?", "how do I deploy");
    check("follow-up  (C++) a:b\\c/d", "follow up C a b c d");
    check("cats AND dogs OR NOT mice [1 TO 3]", "cats and dogs or not mice 1 to 3");
    check("ANDROID or Toto", "ANDROID or Toto");
    check("\r\nrelease\u{a0}\t notes\0", "release notes");
    check("zero\u{200b}width", "zerowidth");
    check("the \"release train\" plan", "the \"release train\" plan");
    check("“release AND train” \"\" \"?\"", "\"release and train\"");
    check("a 5\" disk", "a 5 disk");
    check("l'été · 검색 𝔘", "l'été · 검색 𝔘");
    for empty in ["", "  ", "?!*", "\"\"", "\u{200b}\u{7}", "…"] {
        let error = Words::parse("title", empty).unwrap_err();
        assert_eq!(error, CqlError::Unsearchable { parameter: "title" });
    }
    let error = Words::parse("query", &"ü".repeat(1_001)).unwrap_err();
    assert_eq!(error, CqlError::TooLong { parameter: "query", length: 1_001, limit: 1_000 });
}

fn date(input: &str) -> DateBound {
    DateBound::parse("updatedAfter", input).unwrap()
}

#[test]
fn dates_include_both_ends() {
    let check = |input, after: &str, before: &str| {
        let bound = date(input);
        assert_eq!((bound.at_or_after().as_str(), bound.at_or_before().as_str()), (after, before));
    };
    check("2026-01-02", r#"lastmodified >= "2026-01-02""#, r#"lastmodified < "2026-01-03""#);
    check("2024-02-28", r#"lastmodified >= "2024-02-28""#, r#"lastmodified < "2024-02-29""#);
    check("9999-12-31", r#"lastmodified >= "9999-12-31""#, r#"lastmodified <= "9999/12/31 23:59""#);
    check("-30d", r#"lastmodified >= now("-30d")"#, r#"lastmodified <= now("-30d")"#);
    // In CQL `m` is a minute.
    check("-3m", r#"lastmodified >= now("-3M")"#, r#"lastmodified <= now("-3M")"#);
    check("-0002w", r#"lastmodified >= now("-2w")"#, r#"lastmodified <= now("-2w")"#);
}

#[test]
fn dates_that_do_not_exist_are_refused() {
    for bad in [
        "",
        "2026",
        "2026-02-30",
        "2025-02-29",
        "2026-13-01",
        "2026-00-10",
        "1969-12-31",
        "0000-01-01",
        "10000-01-01",
        "2026-1-2",
        "2026/01/02",
        "2026-01-02T00:00:00Z",
        " 2026-01-02",
        "２０２６-01-02",
        "+30d",
        "-",
        "-d",
        "-0d",
        "-1h",
        "-1M",
        "-1D",
        "--1d",
        "-1.5d",
        "-10000d",
        "-99999999999999999999d",
        "-5201w",
        "-1201m",
        "-101y",
        "-3é",
        "-é",
        "now",
        "2026-01-02\" OR space = \"HR",
    ] {
        let error = DateBound::parse("updatedBefore", bad).unwrap_err();
        assert_eq!(error.parameter(), Some("updatedBefore"), "{bad:?}");
    }
}

#[test]
fn reversed_ranges_are_refused_when_it_is_certain() {
    let check = |after, before, is_refused: bool| {
        let filters = Filters {
            updated_after: Some(date(after)),
            updated_before: Some(date(before)),
            ..Filters::default()
        };
        let refused = build(&filters, Field::SiteSearch, None) == Err(CqlError::ReversedDates);
        assert_eq!(refused, is_refused, "{after} {before}");
    };
    check("2026-01-02", "2026-01-01", true);
    check("2026-01-02", "2026-01-02", false);
    check("-7d", "-30d", true);
    check("-30d", "-7d", false);
    check("-7d", "-7d", false);
    check("-1w", "-8d", true);
    check("-1y", "-13m", true);
    check("-12m", "-1y", false);
    check("-30d", "-1m", false);
    check("-27d", "-1m", true);
    check("-9999d", "-100y", true);
    check("-1m", "-30d", false);
    check("-1m", "-32d", true);
    check("-7d", "2020-01-01", false);
}

#[test]
fn every_filter_is_a_conjunct() {
    let filters = Filters {
        types: vec!["page".into()],
        query: Some(Words::parse("query", "deploy \"blue green\"").unwrap()),
        raw: Some(raw("label = a OR space = HR ORDER BY created")),
        spaces: vec!["ENG".into(), "~al\"ice".into()],
        title: Some(Words::parse("title", "how-to").unwrap()),
        labels: vec!["one".into(), "two\\".into()],
        author: Some(Author::AccountId("712020:ab".into())),
        contributor: None,
        ancestor: Some("123".into()),
        updated_after: Some(date("2026-01-01")),
        updated_before: Some(date("-1d")),
        sort: None,
    };
    let policy = ["ENG".to_owned(), "PROD".to_owned()];
    let built = build(&filters, Field::SiteSearch, Some(&policy)).unwrap();
    let rest = concat!(
        r#"siteSearch ~ "deploy \"blue green\"" AND space IN ("ENG", "~al\"ice") AND title ~ "how to" "#,
        r#"AND label = "one" AND label = "two\\" AND creator = "712020:ab" AND ancestor = "123" "#,
        r#"AND lastmodified >= "2026-01-01" AND lastmodified <= now("-1d") "#,
        r#"AND (label = "a" OR space = "HR") ORDER BY created"#,
    );
    assert_eq!(built.caller, format!(r#"type IN ("page") AND {rest}"#));
    assert_eq!(built.full, format!(r#"type IN ("page") AND space IN ("ENG", "PROD") AND {rest}"#));
    let fallback = build(&filters, Field::Text, None).unwrap();
    assert_eq!(fallback.full, built.caller.replace("siteSearch ~", "text ~"));
    assert_eq!(fallback.caller, fallback.full);
}

#[test]
fn the_type_is_pages_and_blog_posts_unless_somebody_says_otherwise() {
    let check = |filters: Filters, expected| {
        assert_eq!(build(&filters, Field::SiteSearch, None).unwrap().caller, expected);
    };
    let of = |cql| Filters { raw: Some(raw(cql)), ..Filters::default() };
    check(of("label=x"), r#"type IN ("page", "blogpost") AND (label = "x")"#);
    check(of("label=x AND Type = comment"), r#"(label = "x" AND Type = "comment")"#);
    let named = Filters { types: vec!["comment".into()], ..Filters::default() };
    check(named.clone(), r#"type IN ("comment")"#);
    let mine = Filters { author: Some(Author::Me), ..named };
    check(mine, r#"type IN ("comment") AND creator = currentUser()"#);
    assert_eq!(build(&Filters::default(), Field::SiteSearch, None), Err(CqlError::Nothing));
}

#[test]
fn sort_beats_order_by() {
    let check = |sort, expected| {
        let filters = Filters { raw: Some(raw("label=x order by id")), sort, ..Filters::default() };
        let built = build(&filters, Field::SiteSearch, None).unwrap();
        assert_eq!(built.caller, format!(r#"type IN ("page", "blogpost") AND (label = "x"){expected}"#));
    };
    check(None, " ORDER BY id");
    check(Some(Sort::Relevance), "");
    check(Some(Sort::Updated), " ORDER BY lastmodified desc");
    check(Some(Sort::Created), " ORDER BY created desc");
    check(Some(Sort::Title), " ORDER BY title asc");
}

#[test]
fn a_policy_without_spaces_searches_nothing() {
    let filters = Filters { ancestor: Some("1".into()), ..Filters::default() };
    assert_eq!(build(&filters, Field::SiteSearch, Some(&[])), Err(CqlError::NoAllowedSpace));
}

/// What stands at depth 0 of `cql`, cut at AND. Shares nothing with the tokenizer; refuses whatever a conjunction
/// cannot hold.
fn conjuncts(cql: &str) -> Vec<String> {
    let mut flat = String::new();
    let (mut depth, mut characters) = (0_usize, cql.chars());
    let mut whole = vec![String::new()];
    while let Some(character) = characters.next() {
        let mut piece = String::from(character);
        match character {
            '"' => loop {
                let inside = characters.next().expect("a quote is open");
                piece.push(inside);
                match inside {
                    '\\' => piece.push(characters.next().expect("an escape is open")),
                    '"' => break,
                    _ => {}
                }
            },
            '(' => depth += 1,
            ')' => depth = depth.checked_sub(1).expect("more ) than ("),
            '\'' => panic!("a single quote outside a value"),
            other => assert!(!other.is_control() && (other == ' ' || !other.is_whitespace())),
        }
        whole.last_mut().unwrap().push_str(&piece);
        if depth == 0 && character != '"' && character != ')' {
            flat.push(character);
            if flat.ends_with(" AND ") {
                let done = whole.pop().unwrap();
                whole.push(done.strip_suffix(" AND ").unwrap().to_owned());
                whole.push(String::new());
            }
            if let Some(searched) = flat.strip_suffix(" ORDER BY ") {
                let order: String = characters.collect();
                assert!(order.chars().all(|c| c.is_ascii_alphanumeric() || " ._-,[]".contains(c)), "{order}");
                let last = whole.pop().unwrap();
                whole.push(last.strip_suffix(" ORDER BY ").unwrap().to_owned());
                flat.truncate(searched.len());
                break;
            }
        } else {
            flat.push('_');
        }
    }
    assert_eq!(depth, 0, "more ( than )");
    let before_order = flat.split(" ORDER BY ").next().unwrap();
    assert!(
        !before_order.contains(" OR ") && !before_order.contains(" NOT ") && !flat.contains("--"),
        "{flat}"
    );
    whole
}

fn read_back(quoted: &str) -> String {
    let mut inside = quoted.strip_prefix('"').unwrap().strip_suffix('"').unwrap().chars();
    let mut text = String::new();
    while let Some(character) = inside.next() {
        assert_ne!(character, '"');
        text.push(if character == '\\' { inside.next().unwrap() } else { character });
    }
    text
}

#[track_caller]
fn check_confined(input: &str) {
    let Ok(raw) = parse_raw(input) else { return };
    let again = parse_raw(raw.clause()).expect("our own words are read again");
    assert_eq!(again.clause(), raw.clause());
    assert_eq!(again.order_by(), None);
    let group = format!("({})", raw.clause());
    let filters = Filters { types: vec!["page".into()], raw: Some(raw), ..Filters::default() };
    let built = build(&filters, Field::SiteSearch, Some(&["ENG".to_owned()])).unwrap();
    let found = conjuncts(&built.full);
    assert_eq!(found, [r#"type IN ("page")"#, r#"space IN ("ENG")"#, &group]);
}

fn soup() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("space"),
        Just("label"),
        Just("="),
        Just("!="),
        Just("~"),
        Just("!~"),
        Just(">="),
        Just("IN"),
        Just("not in"),
        Just("x"),
        Just("12"),
        Just("'a'"),
        Just("\"b\""),
        Just("("),
        Just(")"),
        Just(","),
        Just("AND"),
        Just("or"),
        Just("NOT"),
        Just("ORDER BY"),
        Just("order"),
        Just("\\"),
        Just("\""),
        Just("'"),
        Just("\\\""),
        Just("now(\"-1d\")"),
        Just("label = x"),
        Just("label = x AND"),
        Just("(label = 'y')"),
        Just("--"),
        Just("“"),
        Just("\u{a0}"),
        Just("desc"),
        Just("space = \"HR\" OR"),
        Just("\u{200b}"),
    ];
    proptest::collection::vec((piece, prop_oneof![Just(" "), Just(""), Just("\n")]), 0..14)
        .prop_map(|pieces| pieces.into_iter().flat_map(|(piece, gap)| [piece, gap]).collect())
}

fn well_formed() -> impl Strategy<Value = String> {
    let value = "[a-zA-Z\"'\\\\() =~ORBY-]{0,12}".prop_map(|value| quote(&value));
    let comparison = ("[a-z]{1,5}x", prop_oneof![Just(" = "), Just("!~"), Just(" not in (")], value)
        .prop_map(|(field, operator, value)| {
            let close = if operator.ends_with('(') { ")" } else { "" };
            format!("{field}{operator}{value}{close}")
        });
    comparison.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(one, other)| format!("{one} OR {other}")),
            (inner.clone(), inner.clone()).prop_map(|(one, other)| format!("({one})and({other})")),
            inner.prop_map(|one| format!("NOT ({one})")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn whatever_comes_stays_within_the_policy(input in any::<String>()) {
        check_confined(&input);
    }

    #[test]
    fn pieces_of_cql_in_any_order_stay_within_the_policy(input in soup()) {
        check_confined(&input);
    }

    #[test]
    fn cql_that_is_well_formed_is_accepted_and_stays_within_the_policy(input in well_formed()) {
        prop_assert!(parse_raw(&input).is_ok(), "{input}");
        check_confined(&input);
    }

    #[test]
    fn quoting_keeps_every_character(value in any::<String>()) {
        let expected = value.replace(char::is_control, " ");
        prop_assert_eq!(read_back(&quote(&value)), expected);
    }

    #[test]
    fn filters_stay_what_they_are(space in any::<String>(), label in any::<String>(), words in any::<String>()) {
        let filters = Filters {
            query: Words::parse("query", &words).ok(),
            spaces: vec![space],
            labels: vec![label],
            ..Filters::default()
        };
        let expected = if filters.query.is_some() { 5 } else { 4 };
        let built = build(&filters, Field::SiteSearch, Some(&["ENG".to_owned()])).unwrap();
        let found = conjuncts(&built.full);
        prop_assert_eq!(found.len(), expected);
        prop_assert_eq!(found[1].as_str(), r#"space IN ("ENG")"#);
    }

    #[test]
    fn words_are_clean_once_cleaned(input in any::<String>()) {
        if let Ok(words) = Words::parse("query", &input) {
            let again = Words::parse("query", words.as_str()).unwrap();
            prop_assert_eq!(again, words);
        }
    }

    #[test]
    fn dates_never_panic(input in "-?[0-9]{0,5}[-dwmy0-9é]{0,7}") {
        if let Ok(bound) = DateBound::parse("updatedAfter", &input) {
            conjuncts(&format!("{} AND {}", bound.at_or_after(), bound.at_or_before()));
        }
    }
}
