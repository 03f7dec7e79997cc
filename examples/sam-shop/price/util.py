CENTS = {"tea": 790, "cup": 1250}
