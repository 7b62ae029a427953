package asana

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"time"

	"fairlead/connectors/source"
)

var _ source.Lister = (*Source)(nil)

// IDs implements source.Lister: project after project, and then what tasks
// are made of. A project of the configuration that cannot be seen ends
// it, since nothing can be concluded then.
func (s *Source) IDs(ctx context.Context) iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		if err := s.ids(ctx, func(ids []string) bool { return yield(ids, nil) }); err != nil && !errors.Is(err, errStopped) {
			yield(nil, fmt.Errorf("listing the tasks of %s: %w", s.name, err))
		}
	}
}

var errStopped = errors.New("the reader stopped")

func (s *Source) ids(ctx context.Context, give func([]string) bool) error {
	p, err := s.dir.places(ctx)
	if err != nil {
		return err
	}
	if len(p.hidden) > 0 {
		return fmt.Errorf("%w: project or team %s of the configuration cannot be seen", source.ErrForbidden, p.hidden[0])
	}
	fields := []string{"created_at", "modified_at", "parent", "num_subtasks"}
	var of []item // tasks that have subtasks
	roots := map[string]bool{}
	for _, project := range p.projects {
		c := call{path: "/tasks", query: url.Values{"project": {project.GID}}, fields: fields, limit: s.cfg.PageSize, at: "of project " + project.GID}
		err := s.client.all(ctx, c, func(r reply) error {
			tasks, err := rows[wireTask](r, c.path)
			if err != nil {
				return err
			}
			ids := make([]string, len(tasks))
			for i, t := range tasks {
				ids[i] = t.GID
				if t.NumSubtasks > 0 {
					of = append(of, item{task: t})
					roots[t.GID] = true
				}
			}
			if len(ids) > 0 && !give(ids) {
				return errStopped
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	kin := s.newFamily(p, time.Time{}, fields)
	if err := kin.expect(ctx, s, len(of)); err != nil {
		return err
	}
	for start := 0; start < len(of); start += ahead {
		parts, err := s.descend(ctx, p, of[start:min(start+ahead, len(of))], kin, func(string, kinship, []membership) {})
		if err != nil {
			return err
		}
		ids := make([]string, len(parts))
		for i, it := range parts {
			ids[i] = it.task.GID
		}
		if len(ids) > 0 && !give(ids) {
			return errStopped
		}
	}
	s.keep(roots)
	return nil
}
