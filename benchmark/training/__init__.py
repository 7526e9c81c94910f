"""Training recognisers: by distillation from a teacher's templates, or with identity labels (`veilbench train`)."""

#: In the metadata of a weights file: what its network was fed, a `Preprocessing` as JSON.
PREPROCESSING = "preprocessing"
