// A client that prints a page. Called with "own" it trusts the roots that were compiled in, as OONI's probe does, and
// otherwise those of the machine.
package main

import (
	"crypto/tls"
	"crypto/x509"
	_ "embed"
	"fmt"
	"io"
	"net/http"
	"os"
)

//go:embed roots.pem
var roots []byte

func main() {
	client := &http.Client{}
	if os.Args[1] == "own" {
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(roots) {
			fmt.Fprintln(os.Stderr, "no roots")
			os.Exit(2)
		}
		client.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	}
	response, err := client.Get(os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	io.Copy(os.Stdout, response.Body)
}
