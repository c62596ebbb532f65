package httpapi

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// LocalProxies are the proxies of this host, as ParseProxies takes them.
const LocalProxies = "127.0.0.0/8 ::1"

// Proxies are the networks of proxies that are believed about who sent a request. The zero value believes nobody.
type Proxies []netip.Prefix

// ParseProxies parses addresses and networks such as "127.0.0.1 10.0.0.0/8", with spaces or commas between them.
func ParseProxies(text string) (Proxies, error) {
	var list Proxies
	for _, name := range strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' || r == '\t' || r == '\n' }) {
		prefix, err := netip.ParsePrefix(name)
		if err != nil {
			var addr netip.Addr
			if addr, err = netip.ParseAddr(name); err != nil || addr.Zone() != "" {
				return nil, fmt.Errorf("%q is neither an address such as 10.0.0.5 nor a network such as 10.0.0.0/24", name)
			}
			prefix = netip.PrefixFrom(addr, addr.BitLen())
		}
		if prefix.Masked() != prefix {
			return nil, fmt.Errorf("%q is an address within a network: the network is %v", name, prefix.Masked())
		}
		list = append(list, prefix)
	}
	return list, nil
}

// Handler sets the RemoteAddr of requests that come through proxies to the address of whoever asked the first of them.
// It removes X-Forwarded-For, and of a request that comes from nobody believed X-Forwarded-Proto as well.
func (p Proxies) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer, ok := parseHop(r.RemoteAddr)
		forwarded := r.Header.Values("X-Forwarded-For")
		believed := ok && p.has(peer)
		if len(forwarded) > 0 || !believed && r.Header.Get("X-Forwarded-Proto") != "" {
			r = r.Clone(r.Context())
			r.Header.Del("X-Forwarded-For")
			if believed {
				r.RemoteAddr = netip.AddrPortFrom(p.sender(peer, forwarded), 0).String()
			} else {
				r.Header.Del("X-Forwarded-Proto")
			}
		}
		next.ServeHTTP(w, r)
	})
}

func (p Proxies) has(addr netip.Addr) bool {
	return slices.ContainsFunc(p, func(n netip.Prefix) bool { return n.Contains(addr) })
}

// Host returns the host that a request is for: a proxy that is believed may have changed it, and says what it was. Within Handler
// the proxy is not known any more.
func (p Proxies) Host(r *http.Request) string {
	forwarded := r.Header.Get("X-Forwarded-Host")
	if peer, ok := parseHop(r.RemoteAddr); forwarded == "" || !ok || !p.has(peer) {
		return r.Host
	}
	first, _, _ := strings.Cut(forwarded, ",") // the first proxy's: others know only that
	return strings.TrimSpace(first)
}

// sender returns the last address that is not a proxy's: every proxy adds the address that asked it to the end of
// X-Forwarded-For, and what stands before an untrusted address is what that one claims. A proxy that names nothing
// readable counts itself.
func (p Proxies) sender(peer netip.Addr, forwarded []string) netip.Addr {
	hops := strings.Split(strings.Join(forwarded, ","), ",") // of several lines the last is the nearest proxy's
	for i := len(hops) - 1; i >= 0 && p.has(peer); i-- {
		if strings.TrimSpace(hops[i]) == "" {
			continue
		}
		hop, ok := parseHop(hops[i])
		if !ok {
			break
		}
		peer = hop
	}
	return peer
}

// parseHop parses an address, with or without a port, quotes and brackets.
func parseHop(text string) (netip.Addr, bool) {
	text = strings.Trim(strings.TrimSpace(text), `"`)
	if withPort, err := netip.ParseAddrPort(text); err == nil { // the most frequent form comes first
		return withPort.Addr().Unmap().WithZone(""), true
	}
	addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"))
	if err != nil {
		return netip.Addr{}, false
	}
	return addr.Unmap().WithZone(""), true
}

// Address returns the address of a request's sender, for limits per address.
func Address(r *http.Request) string { return Sender(r.RemoteAddr) }

// Sender returns the address in a text with or without a port, for limits per address. An IPv6 address is cut to its
// /64, because its owner has all addresses in that.
func Sender(text string) string {
	addr, ok := parseHop(text)
	if !ok {
		host, _, err := net.SplitHostPort(text)
		if err != nil {
			return text
		}
		return host
	}
	if addr.Is6() {
		network, _ := addr.Prefix(64) // fails only for more bits than there are
		return network.Addr().String()
	}
	return addr.String()
}
