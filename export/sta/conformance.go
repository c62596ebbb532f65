package sta

// required begins the addresses of the standard's requirements.
const required = "http://www.opengis.net/spec/iot_sensing/1.1/req/"

// classes are the requirement classes that hold (OGC 18-088, section 2), of which request-data has the exceptions in missing.
var classes = []string{required + "datamodel", required + "resource-path/resource-path-to-entities", required + "request-data"}

// missing lists the parts of the standard that are answered with 501. serverSettings names them, so that a client need
// not try.
var missing = map[string]string{
	required + "create-update-delete":                               "The service can only be read.",
	required + "batch-request/batch-request":                        "Ask one thing at a time.",
	required + "multi-datastream":                                   "Each quantity of a station is a Datastream.",
	required + "data-array/data-array":                              "Observations can be read with $resultFormat=dataArray, not created.",
	required + "create-observations-via-mqtt/observations-creation": "Stations publish to topics of their own, see /api/v1/stations.",
	required + "receive-updates-via-mqtt/receive-updates":           "News are at /api/v1/stream, and live averages at MQTT topics of their own.",
	required + "request-data/orderby":                               "Not by what other entities' Observations hold: order the Observations in $expand instead.",
	required + "request-data/filter": "All that one filter says of other entities' Observations goes one way to them. What the standard has as optional and is not told here " +
		"(resultTime and observedArea of Datastreams, resultQuality and validTime of Observations, properties of Locations, Sensors and FeaturesOfInterest) can be selected, not filtered or ordered by.",
}
