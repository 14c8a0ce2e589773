"""What the platform tells people: e-mails from templates, at least once and never needlessly twice."""
