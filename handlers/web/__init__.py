"""The few pages that people open in a browser, because Slack cannot ask for a second factor."""
