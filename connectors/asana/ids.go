package asana

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"slices"

	"fairlead/connectors/source"
)

var _ source.Lister = (*Source)(nil)

// IDs implements source.Lister: project after project, each page of tasks with
// what they are made of. A project of the configuration that cannot be seen ends
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
	for _, project := range p.projects {
		c := call{
			path: "/tasks", query: url.Values{"project": {project.GID}}, fields: []string{"num_subtasks"},
			limit: s.cfg.PageSize, at: "of project " + project.GID,
		}
		err := s.client.all(ctx, c, func(r reply) error {
			tasks, err := rows[wireTask](r, c.path)
			if err != nil {
				return err
			}
			items := make([]item, len(tasks))
			for i, t := range tasks {
				items[i] = item{task: t}
			}
			parts, err := s.subtasks(ctx, p, items)
			if err != nil {
				return err
			}
			var ids []string
			for _, it := range slices.Concat(items, parts) {
				ids = append(ids, it.task.GID)
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
	return nil
}
