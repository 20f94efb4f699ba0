package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"countersign/internal/job"
	"countersign/kiosk"
)

// jobBody is what of a job is sealed. An outside system's words may quote an address, so they lie here too.
type jobBody struct {
	Payload []byte `json:"payload"`
	LastErr string `json:"last_err"`
}

// Enqueue adds work for outside systems; a job whose key exists already is not added again.
func (t *tx) Enqueue(j job.Job) error {
	if j.Key == "" || j.Kind == "" {
		return errors.New("enqueue a job: key and kind are needed")
	}
	now := t.store.clock.Now()
	if j.Created.IsZero() {
		j.Created = now
	}
	if j.RunAt.IsZero() {
		j.RunAt = j.Created
	}
	body, err := t.seal("jobs", j.Key, 1, jobBody{Payload: j.Payload})
	if err != nil {
		return err
	}
	n, err := t.exec(`INSERT INTO jobs (key, kind, order_key, state, run_at, tries, fence, leased, created, ended, rev, body)
		VALUES (?, ?, ?, 'waiting', ?, 0, 0, 0, ?, 0, 1, ?) ON CONFLICT (key) DO NOTHING`,
		j.Key, j.Kind, j.Order, nanos(j.RunAt), nanos(j.Created), body)
	t.woke = t.woke || n > 0
	return err
}

func moment(ns int64) time.Time {
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, ns).UTC()
}

// jobs reads the jobs that a condition finds.
func (t *tx) jobs(where string, args ...any) ([]job.Job, error) {
	var list []job.Job
	err := t.each(func(scan func(...any) error) error {
		var j job.Job
		var state string
		var runAt, leased, created, ended, rev int64
		var sealed []byte
		if err := scan(&j.ID, &j.Key, &j.Kind, &j.Order, &state, &runAt, &j.Tries, &j.Fence, &leased, &created, &ended,
			&rev, &sealed); err != nil {
			return err
		}
		var body jobBody
		if err := t.unseal("jobs", j.Key, rev, sealed, &body); err != nil {
			return err
		}
		j.State, j.Payload, j.LastErr = job.State(state), body.Payload, body.LastErr
		j.RunAt, j.Leased, j.Created, j.Ended = moment(runAt), moment(leased), moment(created), moment(ended)
		list = append(list, j)
		return nil
	}, `SELECT id, key, kind, order_key, state, run_at, tries, fence, leased, created, ended, rev, body FROM jobs WHERE `+where, args...)
	return list, err
}

// ready is the condition under which a job of a scope may run some day without a person's help, and the moment from when.
func ready(s job.Scope) (where, at string) {
	// That it is not done is said in the index's own words, or SQLite would read every job that ever was.
	where = "j.kind = ? AND j.state <> 'done' AND j.state IN ('waiting', 'running')"
	if s.Ordered {
		where += ` AND NOT EXISTS (SELECT 1 FROM jobs e WHERE e.order_key = j.order_key AND e.kind = j.kind
			AND e.id < j.id AND e.state <> 'done')`
	}
	return where, "CASE j.state WHEN 'running' THEN j.leased ELSE j.run_at END"
}

// Due returns when the next job of a scope may be claimed; the zero time when there is none.
func (s *Store) Due(ctx context.Context, scope job.Scope) (due time.Time, err error) {
	where, at := ready(scope)
	err = s.view(ctx, func(t *tx) error {
		var ns sql.NullInt64
		err := t.one([]any{&ns}, "SELECT min("+at+") FROM jobs j WHERE "+where, scope.Kind)
		due = moment(ns.Int64)
		return err
	})
	return due, err
}

// Claim takes at most limit jobs that are due, oldest first: each is running until now+lease under a new fence.
func (s *Store) Claim(ctx context.Context, scope job.Scope, now time.Time, lease time.Duration, limit int) (list []job.Job, err error) {
	where, at := ready(scope)
	err = s.update(ctx, func(t *tx) error {
		list, err = t.jobs("id IN (SELECT j.id FROM jobs j WHERE "+where+" AND "+at+" <= ? ORDER BY "+at+", j.id LIMIT ?) ORDER BY id",
			scope.Kind, nanos(now), limit)
		if err != nil {
			return err
		}
		for i := range list {
			j := &list[i]
			j.State, j.Leased, j.Tries, j.Fence = job.Running, now.Add(lease), j.Tries+1, j.Fence+1
			if _, err := t.exec("UPDATE jobs SET state = 'running', leased = ?, tries = ?, fence = ? WHERE id = ?",
				nanos(j.Leased), j.Tries, j.Fence, j.ID); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// Reclaim frees the jobs that a process was at when it stopped, instead of waiting for the end of their leases: whoever
// has this directory open is alone with it. What such a process still tries to settle is refused by the fence.
func (s *Store) Reclaim(ctx context.Context) error {
	return s.update(ctx, func(t *tx) error {
		n, err := t.exec("UPDATE jobs SET leased = ? WHERE state = 'running' AND leased > ?", nanos(s.clock.Now()), nanos(s.clock.Now()))
		t.woke = t.woke || n > 0
		return err
	})
}

// Settle writes what became of a claimed job, and runs then in the same transaction. When the claim no longer holds
// nothing happens and the error is job.ErrFenced.
func (s *Store) Settle(ctx context.Context, j job.Job, then func(kiosk.Tx) error) error {
	if then == nil {
		return s.settle(ctx, j, nil)
	}
	return s.settle(ctx, j, func(t *tx) error { return then(t) })
}

func (s *Store) settle(ctx context.Context, j job.Job, then func(*tx) error) error {
	return s.update(ctx, func(t *tx) error {
		var rev int64
		err := t.one([]any{&rev}, "SELECT rev FROM jobs WHERE id = ? AND fence = ? AND state = 'running'", j.ID, j.Fence)
		if errors.Is(err, sql.ErrNoRows) {
			return job.ErrFenced
		}
		if err != nil {
			return err
		}
		body, err := t.seal("jobs", j.Key, rev+1, jobBody{Payload: j.Payload, LastErr: j.LastErr})
		if err != nil {
			return err
		}
		if _, err := t.exec(`UPDATE jobs SET state = ?, run_at = ?, tries = ?, leased = 0, ended = ?, rev = ?, body = ? WHERE id = ?`,
			string(j.State), nanos(j.RunAt), j.Tries, nanos(j.Ended), rev+1, body, j.ID); err != nil {
			return err
		}
		t.woke = t.woke || j.State == job.Waiting
		if then == nil {
			return nil
		}
		return then(t)
	})
}

// Retry lets a dead job run again from its first try, and a waiting one at once. A job that runs or is done is left
// alone (store.conflict).
func (s *Store) Retry(ctx context.Context, id int64) error {
	return s.update(ctx, func(t *tx) error {
		n, err := t.exec(`UPDATE jobs SET tries = CASE state WHEN 'dead' THEN 0 ELSE tries END, state = 'waiting', run_at = ?, ended = 0
			WHERE id = ? AND state IN ('dead', 'waiting')`, nanos(s.clock.Now()), id)
		t.woke = t.woke || n > 0
		return guarded("jobs", n, err)
	})
}

// Waiting lists the jobs of some kinds, of all when none is named, that are not done, dead ones too, oldest first, limit
// at most.
func (s *Store) Waiting(ctx context.Context, limit int, kinds ...string) (list []job.Job, err error) {
	where, args := "state <> 'done'", []any{}
	if len(kinds) > 0 {
		where += " AND kind IN (?" + strings.Repeat(", ?", len(kinds)-1) + ")"
		for _, kind := range kinds {
			args = append(args, kind)
		}
	}
	err = s.view(ctx, func(t *tx) error {
		list, err = t.jobs("id IN (SELECT id FROM jobs INDEXED BY jobs_undone WHERE "+where+") ORDER BY id LIMIT ?", append(args, limit)...)
		return err
	})
	return list, err
}

// Job returns one job.
func (s *Store) Job(ctx context.Context, id int64) (j job.Job, err error) {
	err = s.view(ctx, func(t *tx) error {
		list, err := t.jobs("id = ?", id)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return notFound("jobs")
		}
		j = list[0]
		return nil
	})
	return j, err
}

// JobsOf lists an order's jobs, oldest first.
func (s *Store) JobsOf(ctx context.Context, order string) (list []job.Job, err error) {
	err = s.view(ctx, func(t *tx) error {
		list, err = t.jobs("order_key = ? ORDER BY id", order)
		return err
	})
	return list, err
}
