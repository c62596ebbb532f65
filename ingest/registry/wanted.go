package registry

import (
	"fmt"
	"net/mail"
	"net/url"
	"regexp"
)

const (
	maxEmail = 254 // bytes of an address (RFC 5321, section 4.5.3.1.3, without the angle brackets)
	maxHook  = 500 // bytes of a webhook's address
)

// Wanted is what an owner wants to be told, and how. The zero value is nothing.
type Wanted struct {
	Email    string // empty for no mails
	Hook     string // a URL; empty for none
	HookKind Hook
	Language string // de or en
	Silent   bool   // and when it is over
	Check    bool   // and when it is over
	Week     bool
}

// kinds reports whether anything is to be told.
func (w Wanted) kinds() bool { return w.Silent || w.Check || w.Week }

// Wants reports whether notices of a kind are wanted.
func (w Wanted) Wants(k Kind) bool {
	switch k {
	case Silent:
		return w.Silent
	case Check:
		return w.Check
	case Back:
		return w.Silent || w.Check
	case Week:
		return w.Week
	}
	return true
}

// addressForm is narrower than RFC 5321: no quotes, no spaces and nothing that has a meaning in a header.
var addressForm = regexp.MustCompile(`^[^\s"'<>()\[\],:;\\@\x00-\x1f\x7f]+@[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$`)

func checkEmail(email string) error {
	a, err := mail.ParseAddress(email)
	if err != nil || a.Address != email || len(email) > maxEmail || !addressForm.MatchString(email) {
		return &FieldError{Field: "email", Problem: fmt.Sprintf("%q is no address such as name@example.org", email),
			German: fmt.Sprintf("„%s“ ist keine E-Mail-Adresse wie name@example.org.", email)}
	}
	return nil
}

// check says what is wrong with what is wanted.
func (w Wanted) check() error {
	if w.Email != "" {
		if err := checkEmail(w.Email); err != nil {
			return err
		}
	}
	if !w.kinds() && w.Hook != "" {
		return &FieldError{Field: "silent", Problem: "nothing is chosen: of what are you to be told?", German: "Nichts ist angekreuzt: Wovon willst du hören?"}
	}
	if w.Hook == "" {
		return nil
	}
	u, err := url.Parse(w.Hook)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" || len(w.Hook) > maxHook || w.HookKind != Ntfy && w.HookKind != JSONHook {
		return &FieldError{Field: "hook", Problem: fmt.Sprintf("%.80q is no address such as https://ntfy.sh/my-station", w.Hook),
			German: fmt.Sprintf("%.80q ist keine Adresse wie https://ntfy.sh/meine-station.", w.Hook)}
	}
	return nil
}
