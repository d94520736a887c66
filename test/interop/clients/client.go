// Go's net/http: client WAY URL CA. WAY is h1 or h2; the URL says whether there is TLS. Prints what it saw as JSON.
package main

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"sync"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	way, url := os.Args[1], os.Args[2]
	ca, err := os.ReadFile(os.Args[3])
	must(err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	protocols := new(http.Protocols)
	protocols.SetHTTP1(way == "h1")
	protocols.SetHTTP2(way == "h2")
	protocols.SetUnencryptedHTTP2(way == "h2")
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "server.test"}, Protocols: protocols}}
	read := func(answer *http.Response, err error) ([]byte, string) {
		must(err)
		body, err := io.ReadAll(answer.Body)
		must(err)
		must(answer.Body.Close())
		return body, answer.Proto
	}
	text, version := read(client.Get(url + "/"))
	sent := bytes.Repeat([]byte("0123456789abcdef"), 20000)
	echo, _ := read(client.Post(url+"/", "text/plain", bytes.NewReader(sent)))
	streamed, _ := read(client.Post(url+"/", "text/plain", io.MultiReader(bytes.NewReader(sent), bytes.NewReader(sent))))
	big, _ := read(client.Get(url + "/big"))
	head, err := client.Head(url + "/")
	must(err)
	var many sync.WaitGroup
	same := make([]bool, 50)
	for i := range same {
		many.Add(1)
		go func() {
			defer many.Done()
			one, _ := read(client.Get(url + "/"))
			same[i] = bytes.Equal(one, text)
		}()
	}
	many.Wait()
	parallel := 0
	for _, one := range same {
		if one {
			parallel++
		}
	}
	sum := sha256.Sum256(big)
	must(json.NewEncoder(os.Stdout).Encode(map[string]any{"version": version, "text": string(text),
		"echo": bytes.Equal(echo, sent) && bytes.Equal(streamed, append(append([]byte{}, sent...), sent...)),
		"big":  hex.EncodeToString(sum[:]), "head": head.ContentLength, "parallel": parallel}))
}
