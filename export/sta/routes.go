package sta

import (
	"strconv"

	"stadtluft/firmware-protocol/bilingual"
	"stadtluft/ingest/httpapi"
	"stadtluft/ingest/httpapi/openapi"
)

// Routes returns all routes below Root.
func (s *Service) Routes() []openapi.Route {
	serve := httpapi.With(s.Log, nil, s.serve)
	return []openapi.Route{{
		Method: "GET", Path: Root, Handler: serve, Group: "sta", ID: "getSensorThings",
		Summary: bilingual.Text{EN: "The sets of entities, and what the service conforms to.", DE: "Die Mengen von Objekten, und wozu der Dienst konform ist."},
		Answers: []openapi.Answer{{Forms: []openapi.Content{{Type: jsonType, Schema: openapi.SchemaOf(landing{})}}}},
	}, {
		Method: "GET", Path: Root + "/{path...}", Handler: serve, Group: "sta", ID: "getEntities", Free: true, // the standard has more options; they are answered with 501
		Summary: bilingual.Text{EN: "A set of entities, one of them, or what belongs to it.", DE: "Eine Menge von Objekten, eines davon, oder was dazugehört."},
		About: bilingual.Text{
			EN: "The sets are Things, Locations, HistoricalLocations, Datastreams, Sensors, ObservedProperties, Observations and FeaturesOfInterest; further ways are such as Things('ID')/Datastreams or Datastreams('ID-pm2_5')/Observations. " +
				"What the standard has and is not done here is answered with 501; serverSettings name it.",
			DE: "Die Mengen sind Things, Locations, HistoricalLocations, Datastreams, Sensors, ObservedProperties, Observations und FeaturesOfInterest; weiter geht es etwa mit Things('ID')/Datastreams oder Datastreams('ID-pm2_5')/Observations. " +
				"Was der Standard hat und es hier nicht gibt, wird mit 501 beantwortet; serverSettings nennen es."},
		Parameters: parameters, Answers: []openapi.Answer{{Forms: []openapi.Content{{Type: jsonType, Schema: answerSchema()}, {Type: "text/plain"}}}},
	}, {
		Path: Root + "/", Handler: serve, Free: true,
	}}
}

const jsonType = "application/json"

// parameters are the supported query options (OGC 18-088, section 9.3).
var parameters = []openapi.Parameter{
	{Name: "path", Example: "Things", About: bilingual.Text{EN: "what is asked for", DE: "wonach gefragt wird"}},
	{Name: "$filter", About: bilingual.Text{
		EN: "a condition, such as phenomenonTime ge 2026-05-01T00:00:00Z and result gt 25", DE: "eine Bedingung, etwa phenomenonTime ge 2026-05-01T00:00:00Z and result gt 25"}},
	{Name: "$orderby", About: bilingual.Text{EN: "such as phenomenonTime desc", DE: "etwa phenomenonTime desc"}},
	{Name: "$expand", About: bilingual.Text{
		EN: "related entities in the same answer, such as Datastreams($expand=Observations($top=1))", DE: "Zugehöriges in derselben Antwort, etwa Datastreams($expand=Observations($top=1))"}},
	{Name: "$select", About: bilingual.Text{EN: "only these members, such as name,description", DE: "nur diese Teile, etwa name,description"}},
	{Name: "$top", Kind: openapi.Integer, FromZero: true, Most: maxTop, Capped: true, Default: strconv.Itoa(defaultTop), About: bilingual.Text{
		EN: "how many entities at most; more than the maximum counts as the maximum", DE: "wie viele Objekte höchstens; mehr als das Höchste zählt als das Höchste"}},
	{Name: "$skip", Kind: openapi.Integer, FromZero: true, About: bilingual.Text{EN: "how many to leave out first", DE: "wie viele zuerst auszulassen sind"}},
	{Name: "$count", Choices: []string{"true", "false"}, Default: "false", About: bilingual.Text{EN: "whether @iot.count tells how many there are", DE: "ob @iot.count sagt, wie viele es gibt"}},
	{Name: "$resultFormat", About: bilingual.Text{EN: "dataArray: Observations as one array for each Datastream", DE: "dataArray: Observations als eine Liste je Datastream"}},
	{Name: "$skiptoken", About: bilingual.Text{EN: "which page, taken from @iot.nextLink", DE: "welche Seite, aus @iot.nextLink"}},
}

// landing is the service's first document (OGC 18-088, section 9.2.1).
type landing struct {
	Value    []set    `json:"value"`
	Settings settings `json:"serverSettings"`

	Licence     string `json:"licence"`
	Attribution string `json:"attribution"`
	Notice      string `json:"notice"`
	Demo        bool   `json:"demo"`
}

type set struct {
	Name string `json:"name"`
	URL  string `json:"url"`
}

type settings struct {
	Conformance []string          `json:"conformance"`
	Missing     map[string]string `json:"missing"`
	Limits      map[string]int    `json:"limits"`
}
