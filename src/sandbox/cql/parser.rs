//! The grammar. `AND` and `OR` bind equally and are read from left to right.

use super::Bad;
use super::lexer::{Operator, Token, tokens};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    And(Box<Expression>, Box<Expression>),
    Or(Box<Expression>, Box<Expression>),
    Not(Box<Expression>),
    Clause(Clause),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clause {
    /// Lower case.
    pub field: String,
    pub operator: Operator,
    pub values: Vec<Value>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Literal(String),
    Function { name: String, arguments: Vec<String> },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    pub field: String,
    pub descending: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    pub expression: Expression,
    pub order: Vec<Order>,
}

pub fn parse(cql: &str) -> Result<Query, Bad> {
    let mut parser = Parser { tokens: tokens(cql)?, at: 0, depth: 0 };
    let expression = parser.expression()?;
    let order = parser.order()?;
    match parser.next() {
        None => Ok(Query { expression, order }),
        Some(_) => Err(Bad::new("unexpected text after the end of the query")),
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<Token> {
        self.at += 1;
        self.tokens.get(self.at - 1).cloned()
    }

    fn at_word(&self, word: &str) -> bool {
        matches!(self.peek(), Some(Token::Word(found)) if found.eq_ignore_ascii_case(word))
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = self.at_word(word);
        self.at += usize::from(found);
        found
    }

    fn at_order(&self) -> bool {
        self.at_word("order")
            && matches!(self.tokens.get(self.at + 1), Some(Token::Word(by)) if by.eq_ignore_ascii_case("by"))
    }

    fn expression(&mut self) -> Result<Expression, Bad> {
        if self.at_word("not") {
            return Err(Bad::new("a query may not begin with NOT"));
        }
        let mut left = self.operand()?;
        if matches!(&left, Expression::Clause(clause) if clause.operator.is_negative()) {
            return Err(Bad::new("a query may not begin with a negative clause"));
        }
        loop {
            let and = self.take_word("and");
            if !and && !self.take_word("or") {
                return Ok(left);
            }
            let negated = self.take_word("not");
            let operand = self.operand()?;
            let right = if negated { Expression::Not(Box::new(operand)) } else { operand };
            let join = if and { Expression::And } else { Expression::Or };
            left = join(Box::new(left), Box::new(right));
        }
    }

    fn operand(&mut self) -> Result<Expression, Bad> {
        if self.peek() != Some(&Token::Open) {
            return self.clause().map(Expression::Clause);
        }
        self.at += 1;
        self.depth += 1;
        if self.depth > 50 {
            return Err(Bad::new("too many parentheses"));
        }
        let inner = self.expression()?;
        self.depth -= 1;
        match self.next() {
            Some(Token::Close) => Ok(inner),
            _ => Err(Bad::new("missing ')'")),
        }
    }

    fn clause(&mut self) -> Result<Clause, Bad> {
        let field = match self.next() {
            Some(Token::Word(word)) if !is_keyword(&word) => word.to_lowercase(),
            Some(other) => return Err(Bad::new(format!("expected a field, found {}", show(&other)))),
            None => return Err(Bad::new("expected a field, found the end of the query")),
        };
        let operator = self.operator()?;
        let values = match operator {
            Operator::In | Operator::NotIn => self.list()?,
            _ => vec![self.value()?],
        };
        Ok(Clause { field, operator, values })
    }

    fn operator(&mut self) -> Result<Operator, Bad> {
        if self.take_word("not") {
            let is_list = self.take_word("in");
            return if is_list { Ok(Operator::NotIn) } else { Err(Bad::new("expected IN after NOT")) };
        }
        if self.take_word("in") {
            return Ok(Operator::In);
        }
        match self.next() {
            Some(Token::Operator(operator)) => Ok(operator),
            Some(other) => Err(Bad::new(format!("expected an operator, found {}", show(&other)))),
            None => Err(Bad::new("expected an operator, found the end of the query")),
        }
    }

    fn list(&mut self) -> Result<Vec<Value>, Bad> {
        if self.next() != Some(Token::Open) {
            return Err(Bad::new("expected '(' after IN"));
        }
        let mut values = vec![self.value()?];
        loop {
            match self.next() {
                Some(Token::Comma) => values.push(self.value()?),
                Some(Token::Close) => return Ok(values),
                _ => return Err(Bad::new("expected ',' or ')' in a list")),
            }
        }
    }

    fn value(&mut self) -> Result<Value, Bad> {
        match self.next() {
            Some(Token::Quoted(value)) => Ok(Value::Literal(value)),
            Some(Token::Word(word)) if self.peek() == Some(&Token::Open) => self.function(word),
            Some(Token::Word(word)) if !is_keyword(&word) => Ok(Value::Literal(word)),
            Some(other) => Err(Bad::new(format!("expected a value, found {}", show(&other)))),
            None => Err(Bad::new("expected a value, found the end of the query")),
        }
    }

    fn function(&mut self, name: String) -> Result<Value, Bad> {
        self.at += 1;
        let mut arguments = Vec::new();
        loop {
            match self.next() {
                Some(Token::Close) => return Ok(Value::Function { name, arguments }),
                Some(Token::Quoted(argument) | Token::Word(argument)) => arguments.push(argument),
                Some(Token::Comma) if !arguments.is_empty() => {}
                _ => return Err(Bad::new(format!("missing ')' after {name}("))),
            }
        }
    }

    fn order(&mut self) -> Result<Vec<Order>, Bad> {
        if !self.at_order() {
            return Ok(Vec::new());
        }
        self.at += 2;
        let mut order = Vec::new();
        loop {
            let Some(Token::Word(field)) = self.next() else {
                return Err(Bad::new("expected a field after ORDER BY"));
            };
            let descending = !self.take_word("asc") && self.take_word("desc");
            order.push(Order { field: field.to_lowercase(), descending });
            if self.peek() != Some(&Token::Comma) {
                return Ok(order);
            }
            self.at += 1;
        }
    }
}

fn is_keyword(word: &str) -> bool {
    ["and", "or", "not", "in", "order", "by", "asc", "desc"].contains(&word.to_lowercase().as_str())
}

fn show(token: &Token) -> String {
    match token {
        Token::Open => "'('".to_owned(),
        Token::Close => "')'".to_owned(),
        Token::Comma => "','".to_owned(),
        Token::Operator(_) => "an operator".to_owned(),
        Token::Word(word) | Token::Quoted(word) => format!("'{word}'"),
    }
}
