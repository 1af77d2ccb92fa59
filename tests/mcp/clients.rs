//! The official client SDKs and the official conformance suite, where they are installed.
