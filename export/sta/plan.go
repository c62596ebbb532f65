package sta

// An answer's size follows from its question: entities other than observations are in memory, and each expanded link
// to observations is one query of the store with at most $top of them. So a question that is too large is refused
// before the store is asked.

// plan subtracts what the answer with a page of entities would take from the budget.
func (b *budget) plan(w *world, page []*entity, o options) error {
	if b.entities -= len(page); b.entities < 0 {
		return tooMany()
	}
	if len(page) == 0 {
		return nil
	}
	for _, x := range o.expand {
		if x.link.to == observations {
			if err := b.planLink(page[0].kind, x, len(page)); err != nil {
				return err
			}
			continue
		}
		if err := b.planFilter(x, len(page)); err != nil {
			return err
		}
		for _, e := range page {
			next := w.follow(e, x.link)
			if err := b.plan(w, next[:min(len(next), x.top)], x.options); err != nil {
				return err
			}
		}
	}
	return nil
}

// planLink subtracts what a link of so many entities of a kind would take at most. The entities are not known: they
// belong to observations.
func (b *budget) planLink(from *kind, x expansion, times int) error {
	if x.link.to == observations {
		byTime, down := x.byTime(&entity{kind: from})
		if from != datastreams || !x.isLatest(byTime && down) {
			if b.reads -= times; b.reads < 0 {
				return tooOften()
			}
		}
	} else if err := b.planFilter(x, times); err != nil {
		return err
	}
	if x.link.many {
		times *= x.top
	}
	if b.entities -= times; b.entities < 0 {
		return tooMany()
	}
	for _, next := range x.expand {
		if err := b.planLink(x.link.to, next, times); err != nil {
			return err
		}
	}
	return nil
}

// planFilter subtracts what a filter that refers to observations takes for so many entities.
func (b *budget) planFilter(x expansion, times int) error {
	if _, reads := x.filter.(joinedFilter); reads {
		if b.reads -= times; b.reads < 0 {
			return tooOften()
		}
	}
	return nil
}
