package clientconfig

import (
	"bytes"
	"crypto"
	"crypto/sha1"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/youmark/pkcs8"
	"software.sslmate.com/src/go-pkcs12"
)

// longestOpening bounds what a file can ask for: it says itself how often its password
// is hashed.
const longestOpening = 10 * time.Second

// bounded gives up on open after longestOpening. What it has begun goes on until the
// program ends, which is then soon.
func bounded[T any](open func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := open()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-time.After(longestOpening):
		var none T
		return none, fmt.Errorf("it takes more than %v to open", longestOpening)
	}
}

// pemBlocks are the blocks of a PEM text, also of one whose lines have been joined, as
// in a properties file.
func pemBlocks(text string) (blocks []*pem.Block, err error) {
	for {
		_, after, found := strings.Cut(text, "-----BEGIN ")
		if !found {
			return blocks, nil
		}
		kind, after, found := strings.Cut(after, "-----")
		body, rest, closed := strings.Cut(after, "-----END "+kind+"-----")
		if !found || !closed {
			return nil, errors.New("a PEM block has no end")
		}
		if strings.Contains(body, "Proc-Type:") {
			return nil, errors.New("its key is encrypted in a way that is no longer used: openssl pkcs8 -topk8 -in OLD -out NEW writes it anew")
		}
		der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(body), ""))
		if err != nil {
			return nil, fmt.Errorf("what a PEM block holds is no base64")
		}
		blocks = append(blocks, &pem.Block{Type: kind, Bytes: der})
		text = rest
	}
}

// pemCertificates are those in a PEM text, one or more.
func pemCertificates(text string) (certificates []*x509.Certificate, err error) {
	blocks, err := pemBlocks(text)
	if err != nil {
		return nil, err
	}
	for _, block := range blocks {
		if block.Type != "CERTIFICATE" && block.Type != "X509 CERTIFICATE" {
			continue
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("a certificate cannot be read: %w", err)
		}
		certificates = append(certificates, certificate)
	}
	if certificates == nil {
		return nil, errors.New("there is no certificate in it: it must hold one in PEM, which begins with -----BEGIN CERTIFICATE-----")
	}
	return certificates, nil
}

// scryptID is the object identifier of scrypt in DER. How much memory it takes is said
// by the file, and can be all that there is.
var scryptID = []byte{0x06, 0x09, 0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x04, 0x0b}

// pemKey is the private key in a PEM text; the password is for one that is encrypted.
func pemKey(text, password string) (key any, err error) {
	blocks, err := pemBlocks(text)
	if err != nil {
		return nil, err
	}
	for _, block := range blocks {
		switch block.Type {
		case "PRIVATE KEY":
			key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
		case "RSA PRIVATE KEY":
			key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
		case "EC PRIVATE KEY":
			key, err = x509.ParseECPrivateKey(block.Bytes)
		case "ENCRYPTED PRIVATE KEY":
			key, err = decrypt(block.Bytes, password)
		default:
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("the private key cannot be read: %w", err)
		}
		return key, nil
	}
	return nil, errors.New("there is no private key in it: it must hold one in PEM, which begins with -----BEGIN PRIVATE KEY----- or alike")
}

func decrypt(der []byte, password string) (any, error) {
	if password == "" {
		return nil, fmt.Errorf("it is encrypted: put its password into ssl.key.password of a --kafka-config, or the environment variable %s", KeyPasswordVariable)
	}
	if bytes.Contains(der, scryptID) {
		return nil, errors.New("it is encrypted with scrypt, which is not supported: openssl pkcs8 -topk8 -in OLD -out NEW writes it anew")
	}
	key, err := bounded(func() (any, error) {
		key, _, err := pkcs8.ParsePrivateKey(der, []byte(password))
		return key, err
	})
	if err != nil {
		return nil, errors.New("its password is wrong, or its encryption is an old one, in which case openssl pkcs8 -topk8 -in OLD -out NEW writes it anew")
	}
	return key, nil
}

// clientCertificate joins a key and its certificates, its own first.
func clientCertificate(key any, chain []*x509.Certificate) (tls.Certificate, error) {
	certificate := tls.Certificate{PrivateKey: key, Leaf: chain[0]}
	for _, one := range chain {
		certificate.Certificate = append(certificate.Certificate, one.Raw)
	}
	public, ok := key.(interface{ Public() crypto.PublicKey })
	matching, comparable := chain[0].PublicKey.(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !comparable || !matching.Equal(public.Public()) {
		return tls.Certificate{}, errors.New("the private key is not that of the (first) certificate")
	}
	return certificate, nil
}

const jksMagic = 0xfeedfeed

// storeKind tells what a Java key store is, whatever it is called.
func storeKind(content []byte) string {
	switch {
	case len(content) >= 4 && binary.BigEndian.Uint32(content) == jksMagic:
		return "JKS"
	case len(content) >= 2 && content[0] == 0x30 && content[1] >= 0x80: // a DER sequence
		return "PKCS12"
	case bytes.Contains(content, []byte("-----BEGIN ")):
		return "PEM"
	}
	return ""
}

// trusted are the certificates of a trust store.
func trusted(content []byte, password string) ([]*x509.Certificate, error) {
	switch storeKind(content) {
	case "PEM":
		return pemCertificates(string(content))
	case "JKS":
		return jksCertificates(content, password)
	case "PKCS12":
		certificates, err := bounded(func() ([]*x509.Certificate, error) { return pkcs12.DecodeTrustStore(content, password) })
		if errors.Is(err, pkcs12.ErrIncorrectPassword) {
			return nil, errWrongPassword
		}
		if err == nil && len(certificates) == 0 {
			err = errors.New("there is no trusted certificate in it")
		}
		if err != nil {
			return nil, fmt.Errorf("%w; keytool -importcert -storetype PKCS12 -file CA -keystore NEW makes a trust store, and a file in PEM is taken, too", err)
		}
		return certificates, nil
	}
	return nil, errors.New("it is neither PEM nor PKCS12 nor JKS")
}

var errWrongPassword = errors.New("the password is wrong")

// keyStore is the client's key and certificates of a key store.
func keyStore(content []byte, password, keyPassword string) (tls.Certificate, error) {
	switch storeKind(content) {
	case "PEM":
		chain, err := pemCertificates(string(content))
		if err != nil {
			return tls.Certificate{}, err
		}
		key, err := pemKey(string(content), keyPassword)
		if err != nil {
			return tls.Certificate{}, err
		}
		return clientCertificate(key, chain)
	case "PKCS12":
		if keyPassword != "" && keyPassword != password {
			return tls.Certificate{}, errors.New("ssl.key.password differs from ssl.keystore.password, which PKCS12 does not have")
		}
		return bounded(func() (tls.Certificate, error) {
			key, leaf, above, err := pkcs12.DecodeChain(content, password)
			if errors.Is(err, pkcs12.ErrIncorrectPassword) {
				err = errWrongPassword
			}
			if err != nil {
				return tls.Certificate{}, err
			}
			return clientCertificate(key, append([]*x509.Certificate{leaf}, above...))
		})
	case "JKS":
		return tls.Certificate{}, errors.New("a private key in JKS is not supported: keytool -importkeystore -srckeystore OLD -destkeystore NEW -deststoretype PKCS12 makes a key store that is")
	}
	return tls.Certificate{}, errors.New("it is neither PEM nor PKCS12")
}

// jksCertificates are the trusted certificates of a JKS file: magic number, version,
// number of entries, the entries, and a digest of all that with the password.
func jksCertificates(content []byte, password string) ([]*x509.Certificate, error) {
	broken := errors.New("the JKS file is damaged")
	if len(content) < 12+sha1.Size {
		return nil, broken
	}
	body, digest := content[:len(content)-sha1.Size], content[len(content)-sha1.Size:]
	if password != "" { // Java checks nothing without one
		sum := sha1.New()
		for _, unit := range utf16.Encode([]rune(password)) {
			sum.Write([]byte{byte(unit >> 8), byte(unit)})
		}
		sum.Write([]byte("Mighty Aphrodite"))
		sum.Write(body)
		if !bytes.Equal(sum.Sum(nil), digest) {
			return nil, errWrongPassword
		}
	}
	r := jksReader{rest: body[4:]}
	version, entries := r.number(4), r.number(4)
	if version != 1 && version != 2 {
		return nil, broken
	}
	var certificates []*x509.Certificate
	for ; entries > 0 && !r.short; entries-- {
		kind := r.number(4)
		r.bytes(r.number(2)) // the alias
		r.bytes(8)           // the time
		if kind != 2 {
			return nil, errors.New("there is something else than trusted certificates in it: a private key is not for a trust store")
		}
		if version == 2 {
			r.bytes(r.number(2)) // the certificate's type
		}
		der := r.bytes(r.number(4))
		if r.short {
			break
		}
		certificate, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, fmt.Errorf("a certificate cannot be read: %w", err)
		}
		certificates = append(certificates, certificate)
	}
	if r.short {
		return nil, broken
	}
	if certificates == nil {
		return nil, errors.New("there is no trusted certificate in it")
	}
	return certificates, nil
}

type jksReader struct {
	rest  []byte
	short bool // there was less than was asked for
}

func (r *jksReader) bytes(n uint64) []byte {
	if n > uint64(len(r.rest)) {
		r.short = true
		return nil
	}
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *jksReader) number(size uint64) (n uint64) {
	for _, b := range r.bytes(size) {
		n = n<<8 | uint64(b)
	}
	return n
}
