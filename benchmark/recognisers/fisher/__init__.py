"""Fisher vectors of dense descriptors: faces as the way in which their local structure departs from the usual one."""
