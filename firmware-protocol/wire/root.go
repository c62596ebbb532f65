package wire

import "strings"

// Root is the first level of every topic. Where several cities share a broker, each has its own in its place there; the
// functions of this package know topics with Root alone.
const Root = "stadtluft"

// WithRoot returns a topic or filter of the protocol with another first level than Root, as it is at a broker. Those of
// other firmware stay as they are, as all do for an empty root.
func WithRoot(root, topic string) string {
	rest, ours := strings.CutPrefix(topic, Prefix)
	if !ours || root == "" || root == Root {
		return topic
	}
	return root + Prefix[len(Root):] + rest
}

// WithoutRoot is the reverse of WithRoot. Topics with another first level stay as they are.
func WithoutRoot(root, topic string) string {
	if root == "" || root == Root {
		return topic
	}
	rest, ours := strings.CutPrefix(topic, root)
	if !ours || !strings.HasPrefix(rest, Prefix[len(Root):]) {
		return topic
	}
	return Root + rest
}
