"""The only client of XRP Ledger servers: transports, typed questions, choice of server, whole ledgers."""
