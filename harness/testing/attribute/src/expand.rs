//! A test that goes into a lab first.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::spanned::Spanned;
use syn::{Attribute, Error, Expr, ExprLit, ItemFn, Lit, Meta};

use crate::settings::Settings;

/// The function with a first statement that, outside of a lab, has the test run in one and goes no further. What stands
/// under the attribute stays: `#[tokio::test]`, `#[ignore]`, `#[should_panic]`.
pub(crate) fn expand(settings: &Settings, function: ItemFn) -> syn::Result<TokenStream> {
    let ItemFn { attrs, vis, sig, block } = function;
    if let Some(argument) = sig.inputs.first() {
        return Err(Error::new(argument.span(), "a test takes no arguments"));
    }
    let mut test = None;
    if !attrs.iter().any(makes_a_test) {
        if let Some(word) = sig.asyncness {
            let what = "an async test needs a runtime: put its attribute, such as #[tokio::test], under #[roadblock::test(...)]";
            return Err(Error::new(word.span(), what));
        }
        test = Some(quote!(#[::core::prelude::v1::test]));
    }
    let name = &sig.ident;
    let ends = ends(&attrs)?;
    // The statements stay the function's own, so that its last expression is typed as its author wrote it.
    let statements = &block.stmts;
    Ok(quote! {
        #test
        #(#attrs)*
        #vis #sig {
            const SEAT: ::roadblock::expansion::Seat = #settings;
            const NAME: &str = ::core::concat!(::core::module_path!(), "::", ::core::stringify!(#name));
            let _inside = match ::roadblock::expansion::enter(&SEAT, NAME, #ends) {
                ::core::ops::ControlFlow::Continue(inside) => inside,
                ::core::ops::ControlFlow::Break(()) => return ::roadblock::expansion::Passed::passed(),
            };
            #(#statements)*
        }
    })
}

/// Whether this attribute registers a test of its own: `#[test]`, `#[tokio::test]`, `#[async_std::test]`.
fn makes_a_test(attribute: &Attribute) -> bool {
    attribute.path().segments.last().is_some_and(|last| last.ident == "test")
}

/// How a sound test ends, as a value of `roadblock_testing::expansion::Ends`.
fn ends(attributes: &[Attribute]) -> syn::Result<TokenStream> {
    let Some(attribute) = attributes.iter().find(|attribute| attribute.path().is_ident("should_panic")) else {
        return Ok(quote!(::roadblock::expansion::Ends::ByReturning));
    };
    let message = match &attribute.meta {
        Meta::Path(_) => None,
        Meta::NameValue(pair) => Some(pair.value.clone()),
        Meta::List(_) => {
            let mut expected = None;
            attribute.parse_nested_meta(|nested| {
                expected = Some(nested.value()?.parse::<Expr>()?);
                Ok(())
            })?;
            expected
        }
    };
    match message {
        None => Ok(quote!(::roadblock::expansion::Ends::ByPanicking(""))),
        Some(Expr::Lit(ExprLit { lit: Lit::Str(text), .. })) => {
            Ok(quote!(::roadblock::expansion::Ends::ByPanicking(#text)))
        }
        Some(other) => Err(Error::new_spanned(other.to_token_stream(), "write the expected message as a string")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(settings: &str, function: &str) -> String {
        let settings = syn::parse_str(settings).expect("settings");
        let function = syn::parse_str(function).expect("a function");
        expand(&settings, function).map_or_else(|error| error.to_string(), |tokens| tokens.to_string())
    }

    #[test]
    fn the_tests_of_a_runtime_stay_its_own() {
        let plain = expanded(r#"scenario = "a/b""#, "fn it_works() {}");
        assert!(plain.starts_with("# [:: core :: prelude :: v1 :: test] fn it_works ()"), "{plain}");
        for attribute in ["test", "tokio::test", "tokio::test(flavor = \"multi_thread\")"] {
            let of_its_own = expanded(r#"scenario = "a/b""#, &format!("#[{attribute}] async fn it_works() {{}}"));
            assert!(!of_its_own.contains("prelude"), "{of_its_own}");
        }
    }

    #[test]
    fn how_a_test_is_meant_to_end_is_said() {
        for (attribute, said) in [
            ("#[ignore]", "Ends :: ByReturning"),
            ("#[should_panic]", "Ends :: ByPanicking (\"\")"),
            ("#[should_panic = \"no\"]", "Ends :: ByPanicking (\"no\")"),
            ("#[should_panic(expected = \"no\")]", "Ends :: ByPanicking (\"no\")"),
        ] {
            let text = expanded(r#"scenario = "a/b""#, &format!("{attribute} fn it_works() {{}}"));
            assert!(text.contains(said), "{text}");
        }
    }
}
