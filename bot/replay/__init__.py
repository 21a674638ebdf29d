"""What another policy would make of what was proposed before: for the command line and for a change of the policy."""
