package sta

// Limits of the query of one request.
const (
	maxQueryBytes = 4096 // of all options together
	maxNesting    = 30   // of parentheses and functions
)

// expression is a node of a $filter or $orderby.
type expression interface{ position() int }

type (
	literal struct {
		value any
		at    int
	}
	// path leads from the entity to a property of it or of a related one.
	path struct {
		names []string
		at    int
	}
	unary struct {
		operator string // "not" or "-"
		of       expression
		at       int
	}
	binary struct {
		operator    string
		left, right expression
		at          int
	}
	call struct {
		function string
		of       []expression
		at       int
	}
)

func (e literal) position() int { return e.at }
func (e path) position() int    { return e.at }
func (e unary) position() int   { return e.at }
func (e binary) position() int  { return e.at }
func (e call) position() int    { return e.at }

// levels are the operators, from the lowest precedence to the highest.
var levels = [][]string{{"or"}, {"and"}, {"eq", "ne", "gt", "ge", "lt", "le"}, {"add", "sub"}, {"mul", "div", "mod"}}

// parser parses the grammar of OData's $filter that SensorThings uses.
type parser struct {
	lexer
	now   token
	depth int
}

// parseExpression parses an expression up to the end of the text.
func parseExpression(text string) (expression, error) {
	p := &parser{lexer: lexer{text: text}}
	if err := p.advance(); err != nil {
		return nil, err
	}
	e, err := p.level(0)
	if err != nil {
		return nil, err
	}
	if p.now.kind != endToken {
		return nil, mistake(p.now.at, "%s is not expected here", p.now)
	}
	return e, nil
}

func (p *parser) advance() (err error) {
	p.now, err = p.next()
	return err
}

// level parses operands joined by the operators of a level, from left to right.
func (p *parser) level(n int) (expression, error) {
	if n == len(levels) {
		return p.operand()
	}
	left, err := p.level(n + 1)
	for err == nil && p.isOperator(levels[n]) {
		operator := p.now
		if err = p.advance(); err != nil {
			break
		}
		var right expression
		if right, err = p.level(n + 1); err == nil {
			left = binary{operator.text, left, right, operator.at}
		}
	}
	return left, err
}

func (p *parser) isOperator(list []string) bool {
	if p.now.kind != nameToken {
		return false
	}
	for _, name := range list {
		if p.now.text == name {
			return true
		}
	}
	return false
}

// operand parses a literal, a path, a function, an expression in parentheses, or one of them after a sign.
func (p *parser) operand() (expression, error) {
	if p.depth++; p.depth > maxNesting {
		return nil, mistake(p.now.at, "more than %d levels are nested", maxNesting)
	}
	defer func() { p.depth-- }()
	t := p.now
	if err := p.advance(); err != nil {
		return nil, err
	}
	switch {
	case t.kind == literalToken:
		return literal{t.value, t.at}, nil
	case t.kind == signToken && t.text == "-", t.kind == nameToken && t.text == "not":
		of, err := p.operand()
		return unary{t.text, of, t.at}, err
	case t.kind == signToken && t.text == "(":
		return p.parenthesis(t)
	case t.kind == nameToken && p.isSign("("):
		return p.arguments(t)
	case t.kind == nameToken:
		return p.path(t)
	}
	return nil, mistake(t.at, "a value is expected here, not %s", t)
}

func (p *parser) isSign(text string) bool { return p.now.kind == signToken && p.now.text == text }

func (p *parser) parenthesis(open token) (expression, error) {
	e, err := p.level(0)
	if err != nil {
		return nil, err
	}
	if !p.isSign(")") {
		return nil, mistake(p.now.at, "a closing parenthesis is expected here, for the one at character %d, not %s", open.at+1, p.now)
	}
	return e, p.advance()
}

func (p *parser) arguments(name token) (expression, error) {
	e := call{function: name.text, at: name.at}
	if err := p.advance(); err != nil { // the parenthesis
		return nil, err
	}
	for !p.isSign(")") {
		if len(e.of) > 0 {
			if !p.isSign(",") {
				return nil, mistake(p.now.at, "a comma or a closing parenthesis is expected here, not %s", p.now)
			}
			if err := p.advance(); err != nil {
				return nil, err
			}
		}
		of, err := p.level(0)
		if err != nil {
			return nil, err
		}
		e.of = append(e.of, of)
	}
	return e, p.advance()
}

func (p *parser) path(first token) (expression, error) {
	e := path{names: []string{first.text}, at: first.at}
	for p.isSign("/") {
		if err := p.advance(); err != nil {
			return nil, err
		}
		if p.now.kind != nameToken {
			return nil, mistake(p.now.at, "a name is expected behind the slash, not %s", p.now)
		}
		e.names = append(e.names, p.now.text)
		if err := p.advance(); err != nil {
			return nil, err
		}
	}
	return e, nil
}
