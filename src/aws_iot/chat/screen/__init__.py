"""The screen: the only importer of Textual. Widgets draw the state, and pass on what the person does."""
