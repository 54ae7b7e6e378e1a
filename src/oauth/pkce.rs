//! Proof Key for Code Exchange (RFC 7636), S256 only.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq;

use super::error::{Code, OauthError};
use super::params::Params;
use crate::seal::fingerprint;

/// The S256 challenge of an authorization request. `needed`: whether the request fails without one.
pub fn challenge(params: &Params, needed: bool) -> Result<Option<String>, OauthError> {
    let refuse = |why| Err(OauthError::new(Code::InvalidRequest, why));
    match (params.get("code_challenge")?, params.get("code_challenge_method")?) {
        (None, None) if needed => refuse("This client has to send a code_challenge (PKCE, S256)."),
        (None, None) => Ok(None),
        (None, Some(_)) => refuse("There is a code_challenge_method, but no code_challenge."),
        // Without a method RFC 7636 means plain.
        (Some(challenge), Some("S256")) if is_challenge(challenge) => Ok(Some(challenge.to_owned())),
        (Some(_), Some("S256")) => refuse("The code_challenge is not 43 characters of base64url."),
        (Some(_), _) => refuse("The code_challenge_method has to be S256."),
    }
}

/// Whether a token request proves what its authorization request promised. A verifier that nobody promised is refused
/// too: it is the sign of a code that was swapped.
pub fn proves(challenge: Option<&str>, verifier: Option<&str>) -> bool {
    match (challenge, verifier) {
        (None, None) => true,
        (Some(challenge), Some(verifier)) if is_verifier(verifier) => {
            let expected = URL_SAFE_NO_PAD.encode(fingerprint(verifier));
            bool::from(expected.as_bytes().ct_eq(challenge.as_bytes()))
        }
        _ => false,
    }
}

fn is_challenge(text: &str) -> bool {
    text.len() == 43 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

fn is_verifier(text: &str) -> bool {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    (43..=128).contains(&text.len()) && text.bytes().all(unreserved)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7636 appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn asked(query: &str, needed: bool) -> Result<Option<String>, Code> {
        challenge(&Params::parse(query.as_bytes()), needed).map_err(|error| error.code)
    }

    #[test]
    fn a_challenge_is_s256_or_absent_where_it_may_be() {
        assert_eq!(
            asked(&format!("code_challenge={CHALLENGE}&code_challenge_method=S256"), true),
            Ok(Some(CHALLENGE.to_owned()))
        );
        assert_eq!(asked("", false), Ok(None));
        for bad in ["", "code_challenge_method=S256", "code_challenge=x&code_challenge_method=S256"] {
            assert_eq!(asked(bad, true), Err(Code::InvalidRequest), "{bad}");
        }
        for downgrade in ["&code_challenge_method=plain", "", "&code_challenge_method=s256"] {
            assert_eq!(
                asked(&format!("code_challenge={CHALLENGE}{downgrade}"), false),
                Err(Code::InvalidRequest)
            );
        }
    }

    #[test]
    fn a_challenge_demands_its_verifier_and_a_verifier_its_challenge() {
        assert!(proves(Some(CHALLENGE), Some(VERIFIER)));
        assert!(proves(None, None));
        assert!(!proves(Some(CHALLENGE), None));
        assert!(!proves(None, Some(VERIFIER)));
        assert!(!proves(Some(CHALLENGE), Some(CHALLENGE)));
        assert!(!proves(Some(CHALLENGE), Some(&VERIFIER[..42])));
    }
}
