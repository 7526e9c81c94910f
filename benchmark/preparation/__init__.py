"""From photographs, one's own or LFW's, to folders of aligned samples: `veilbench data prepare` and `data fetch`."""
