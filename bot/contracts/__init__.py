"""Tool contracts: JSON Schema 2020-12, made strict when the policy is loaded and held against arguments at intake."""
