package stations

import (
	"cmp"
	"errors"
	"net/http"
	"net/netip"

	"stadtluft/firmware-protocol/bilingual"
	"stadtluft/ingest"
	"stadtluft/ingest/httpapi"
	"stadtluft/ingest/httpapi/openapi"
	"stadtluft/ingest/registry"
)

// Notices is how this server can tell stations' owners of their stations. The zero value cannot.
type Notices struct {
	Mail bool
	Hook func(address string) error // returns why an address cannot be a webhook's; nil where there are no webhooks
}

// NoticeRoutes returns the addresses with which an owner chooses notices, and those of the links in mails. The one to unsubscribe
// is for mail programs, too (RFC 8058).
func (s *Service) NoticeRoutes() []openapi.Route {
	link := func(action, id string, h httpapi.Handler, summary bilingual.Text) openapi.Route {
		return openapi.Route{
			Method: "POST", Path: "/notices/" + action + "/{id}/{token}", Handler: s.answer(h), Group: "stations", ID: id, Summary: summary,
			Parameters: []openapi.Parameter{ID, {Name: "token", About: bilingual.Of("the token of the mail", "das Token aus der Mail")}},
			Answers:    openapi.AnswerOf(jsonType, openapi.SchemaOf(linked{})),
		}
	}
	return []openapi.Route{{
		Method: "PUT", Path: "/api/v1/stations/{id}/notices", Handler: s.answer(s.managed(s.putNotices)), Group: "stations", ID: "setNotices", Login: openapi.Owner,
		Summary: bilingual.Of("What the owner is to be told of a station, by mail or at a webhook.", "Was ein Mensch von seiner Station hören will, per Mail oder an einem Webhook."),
		About: bilingual.Of("An address that is new gets a mail with a link first; mails are in the language of the request. Without address and webhook nothing is told.",
			"Eine neue Adresse bekommt zuerst eine Mail mit einem Link; Mails sind in der Sprache der Anfrage. Ohne Adresse und Webhook kommt nichts."),
		Parameters: []openapi.Parameter{ID}, Body: []openapi.Content{{Type: jsonType, Schema: openapi.SchemaOf(wanted{})}}, Answers: openapi.AnswerOf(jsonType, openapi.SchemaOf(noticesView{})),
	},
		link("confirm", "confirmNotices", s.postConfirm, bilingual.Of("Confirm the address of notices.", "Die Adresse für Nachrichten bestätigen.")),
		link("unsubscribe", "unsubscribeNotices", s.postUnsubscribe, bilingual.Of("Delete the address of notices, with one click.", "Die Adresse für Nachrichten löschen, mit einem Klick.")),
	}
}

// wanted is what an owner wants to be told.
type wanted struct {
	Email    string        `json:"email"`
	Hook     string        `json:"hook"`
	HookKind registry.Hook `json:"hook_kind" enum:"ntfy,json"`
	Silent   bool          `json:"silent"`
	Check    bool          `json:"check"`
	Week     bool          `json:"week"`
}

// noticesView is what an owner sees of the notices: what this server can do, and what is wanted.
type noticesView struct {
	Mail      bool `json:"mail"`      // this server sends mails
	Hooks     bool `json:"hooks"`     // and calls webhooks
	Confirmed bool `json:"confirmed"` // the address is
	Asked     bool `json:"asked"`     // for a confirmation, by mail
	wanted
}

func (s *Service) noticesOf(id string) noticesView {
	n := s.Notices
	known := s.registry.Notices(id)
	w := known.Wanted
	return noticesView{n.Mail, n.Hook != nil, !known.Confirmed.IsZero(), !known.Asked.IsZero(), wanted{w.Email, w.Hook, cmp.Or(w.HookKind, registry.Ntfy), w.Silent, w.Check, w.Week}}
}

// putNotices sets what an owner wants to be told.
func (s *Service) putNotices(w http.ResponseWriter, r *http.Request, st *ingest.Station, by registry.By) error {
	var ask wanted
	if err := httpapi.ReadJSON(w, r, &ask); err != nil {
		return err
	}
	if err := s.Notices.offers(ask); err != nil {
		return err
	}
	if ask.Hook == "" {
		ask.HookKind = ""
	}
	wish := registry.Wanted{Email: ask.Email, Hook: ask.Hook, HookKind: ask.HookKind, Language: httpapi.Language(r), Silent: ask.Silent, Check: ask.Check, Week: ask.Week}
	if err := s.registry.Subscribe(r.Context(), st.ID, by, wish, network(httpapi.Address(r))); err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	return httpapi.JSON(w, http.StatusOK, jsonType, s.noticesOf(st.ID))
}

// offers returns a problem for what this server cannot do.
func (n Notices) offers(ask wanted) error {
	switch {
	case ask.Email != "" && !n.Mail && (ask.Silent || ask.Check || ask.Week):
		return httpapi.New(http.StatusUnprocessableEntity, "email", "this server sends no mails: leave the address out").InGerman("Dieser Server verschickt keine Mails: Lass die Adresse weg.")
	case ask.Hook == "":
		return nil
	case n.Hook == nil:
		return httpapi.New(http.StatusUnprocessableEntity, "hook", "this server calls no webhooks: leave the address out").InGerman("Dieser Server ruft keine Webhooks auf: Lass die Adresse weg.")
	}
	if err := n.Hook(ask.Hook); err != nil {
		return httpapi.New(http.StatusUnprocessableEntity, "hook", "this cannot be a webhook's address: %v", err).
			InGerman("Das kann keine Adresse eines Webhooks sein. Sie beginnt mit https:// und führt ins öffentliche Netz, wie https://ntfy.sh/meine-station.")
	}
	return nil
}

// welcome asks whoever has given an address with a registration to confirm it. The registration counts whatever comes of that.
func (s *Service) welcome(r *http.Request, id, email string) {
	if email == "" || !s.Notices.Mail {
		return
	}
	wish := registry.Wanted{Email: email, Language: httpapi.Language(r), Silent: true, Check: true}
	if err := s.registry.Subscribe(r.Context(), id, registry.Owner, wish, network(httpapi.Address(r))); err != nil && !errors.Is(err, registry.ErrTooManyAddresses) {
		s.log.Warn("notices of a new station were not set", "station", id, "err", err)
	}
}

// network returns the network of a sender for limits of mails: people change their address within it.
func network(address string) string {
	addr, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	bits := 24
	if addr.Is6() {
		bits = 48
	}
	prefix, err := addr.Prefix(bits)
	if err != nil {
		return address
	}
	return prefix.String()
}

// linked is the answer to a link of a mail.
type linked struct {
	Station string `json:"station"`
}

func (s *Service) postConfirm(w http.ResponseWriter, r *http.Request) error {
	return s.follow(w, r, s.registry.Confirm(r.Context(), r.PathValue("id"), r.PathValue("token")))
}

func (s *Service) postUnsubscribe(w http.ResponseWriter, r *http.Request) error {
	return s.follow(w, r, s.registry.Unsubscribe(r.Context(), r.PathValue("id"), r.PathValue("token")))
}

// follow answers a link of a mail. What mail programs send with it says nothing more.
func (s *Service) follow(w http.ResponseWriter, r *http.Request, err error) error {
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	return httpapi.JSON(w, http.StatusOK, jsonType, linked{r.PathValue("id")})
}
