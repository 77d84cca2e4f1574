"""Functions of the voice agent: Lambdas that the customer writes, entered in the ledger before they are called."""
