//! The attribute of roadblock-testing, which explains it.

mod expand;
mod settings;

use proc_macro::TokenStream;
use syn::{ItemFn, parse_macro_input};

use settings::Settings;

/// Runs a test inside a lab: at a vantage of a scenario, behind its censors.
///
/// `roadblock-testing` says what it takes.
#[proc_macro_attribute]
pub fn test(settings: TokenStream, function: TokenStream) -> TokenStream {
    let settings = parse_macro_input!(settings as Settings);
    let function = parse_macro_input!(function as ItemFn);
    expand::expand(&settings, function).unwrap_or_else(syn::Error::into_compile_error).into()
}
