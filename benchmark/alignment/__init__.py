"""From photographs to samples: find the face, its five landmarks, and the upright 112x112 crop around them."""
