"""FHIR at the door: orders of any version in, questions for the engine and DetectedIssues out. Reading is lenient, writing strict."""
