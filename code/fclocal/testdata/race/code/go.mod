module race

go 1.26

require github.com/aliyun/fc-runtime-go-sdk v0.3.1
