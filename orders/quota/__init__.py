"""The reserved share (预留份额): rules with their documents, yearly filings, progress, what 832 exports say."""
