"""`ensemble`: finished models of the same task as one bundle (Lakshminarayanan et al. 2017)."""
