package httpapi

import (
	"net"
	"net/http"
	"strings"
)

// Address returns the address of a request's sender. Behind a proxy on this host it is the last address that the proxy
// saw. An IPv6 address is cut to its network, because its owner has all addresses in it.
func Address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	ip := net.ParseIP(host)
	if seen := r.Header.Get("X-Forwarded-For"); seen != "" && ip != nil && ip.IsLoopback() {
		host = strings.TrimSpace(seen[strings.LastIndexByte(seen, ',')+1:])
		ip = net.ParseIP(host)
	}
	if ip != nil && ip.To4() == nil {
		return ip.Mask(net.CIDRMask(64, 128)).String()
	}
	return host
}
