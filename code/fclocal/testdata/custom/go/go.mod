module custom

go 1.26
