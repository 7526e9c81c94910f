"""Training recognisers: by distillation from a teacher's templates, or with identity labels (`veilbench train`)."""
