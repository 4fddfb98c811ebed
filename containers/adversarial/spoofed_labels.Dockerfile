# Claims to be another run's, another process's, and of another contract.
LABEL org.fomo-eval.run="0123456789abcdef" org.fomo-eval.owner="nobody/1/1/1" org.fomo-eval.contract="999"
