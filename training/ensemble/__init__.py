"""Several finished models of one question as one bundle (Lakshminarayanan et al. 2017)."""
