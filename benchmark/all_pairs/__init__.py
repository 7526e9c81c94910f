"""From the templates of all-pairs jobs to their records: score sets through each recogniser, measured, put together."""
