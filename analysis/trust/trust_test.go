package trust

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func near(t *testing.T, what string, got, want, room float64) {
	t.Helper()
	if !(math.Abs(got-want) <= room) {
		t.Errorf("%s is %.12g, want %.12g", what, got, want)
	}
}

func TestRecommendByHand(t *testing.T) {
	// Six of eight who answered, of ten people: 4 promoters, 2 detractors.
	r, err := Recommend([]int{10, 9, 9, 10, 7, 8, 0, 6}, 10)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "score", r.Score, 25, 1e-12)
	near(t, "error", r.SE, 100*math.Sqrt((0.75-0.0625)/8), 1e-12)
	// p̃ = 5/11, d̃ = 3/11, finite-team factor √(2/9).
	half := 100 * 1.96 * math.Sqrt((8.0/11-4.0/121)/12*2/9)
	near(t, "low", r.Low, 100*2.0/11-half, 1e-12)
	near(t, "high", r.High, 100*2.0/11+half, 1e-12)
	near(t, "least", r.Least, 0.8*25-20, 1e-12)
	near(t, "most", r.Most, 0.8*25+20, 1e-12)

	// Everybody answered: nothing is left to chance.
	r, err = Recommend([]int{10, 10, 10, 0, 8}, 5)
	if err != nil || r.Low != r.Score || r.High != r.Score || r.Least != r.Score || r.Most != r.Score {
		t.Errorf("all answered: %+v, %v", r, err)
	}
}

func TestRecommendRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		answers []int
		people  int
		want    error
	}{
		"four":         {[]int{1, 2, 3, 4}, 10, ErrFew},
		"nobody":       {nil, 0, ErrFew},
		"eleven":       {[]int{11, 1, 1, 1, 1}, 10, ErrInput},
		"negative":     {[]int{-1, 1, 1, 1, 1}, 10, ErrInput},
		"more than of": {[]int{1, 1, 1, 1, 1}, 4, ErrInput},
	} {
		if r, err := Recommend(c.answers, c.people); !errors.Is(err, c.want) || r != (Recommendation{}) {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
}

func TestDiffersFrom(t *testing.T) {
	good := Recommendation{Low: 40, High: 80, Least: 30, Most: 90}
	bad := Recommendation{Low: -50, High: 10, Least: -60, Most: 20}
	if !good.DiffersFrom(bad) || !bad.DiffersFrom(good) || good.DiffersFrom(good) {
		t.Error("good and bad differ")
	}
	bad.Most = 35 // the silent ones could have made it good
	if good.DiffersFrom(bad) || bad.DiffersFrom(good) {
		t.Error("differ though the bounds meet")
	}
	bad.Most, bad.High = 20, 45
	if good.DiffersFrom(bad) || bad.DiffersFrom(good) {
		t.Error("differ though the intervals meet")
	}
}

// The interval covers what the whole team would say in 95 % of surveys, about:
// n of N people answer, whoever they are.
func TestIntervalCovers(t *testing.T) {
	random := rand.New(rand.NewPCG(6, 1))
	for _, c := range []struct{ answers, people int }{{6, 12}, {10, 14}, {12, 60}, {30, 200}} {
		const surveys = 4000
		covered := 0
		for range surveys {
			promoters, detractors := random.Float64(), random.Float64()
			team := make([]int, c.people)
			sum := 0.0
			for i := range team {
				switch x := random.Float64() * 1.6; {
				case x < 0.8*promoters:
					team[i], sum = 10, sum+1
				case x < 0.8*(promoters+detractors):
					team[i], sum = 0, sum-1
				default:
					team[i] = 7
				}
			}
			random.Shuffle(len(team), func(i, j int) { team[i], team[j] = team[j], team[i] })
			r, err := Recommend(team[:c.answers], c.people)
			if err != nil {
				t.Fatal(err)
			}
			truth := 100 * sum / float64(c.people)
			if truth < r.Least-1e-9 || truth > r.Most+1e-9 {
				t.Fatalf("%v is outside what is certain, %+v", truth, r)
			}
			if r.Low-1e-9 <= truth && truth <= r.High+1e-9 {
				covered++
			}
		}
		share := float64(covered) / surveys
		t.Logf("%d of %d answer: covered in %.1f %%", c.answers, c.people, 100*share)
		near(t, "coverage", share, 0.95, 0.03)
	}
}

func TestScaleByHand(t *testing.T) {
	s := Edmondson()
	got, err := s.Person([]int{1, 7, 1, 7, 1, 7, 7})
	if err != nil || got != 7 {
		t.Errorf("nothing better: %v, %v", got, err)
	}
	got, err = s.Person([]int{Skipped, 6, 2, 5, Skipped, 7, 7}) // 6 6 5 7 7
	if err != nil {
		t.Fatal(err)
	}
	near(t, "mean of five", got, 31.0/5, 1e-12)
	if got, err = s.Person([]int{Skipped, 6, Skipped, 5, Skipped, 7, 7}); err != nil || !math.IsNaN(got) {
		t.Errorf("four answers: %v, %v", got, err)
	}
}

func TestTeam(t *testing.T) {
	s := Scale{Items: 5, Least: 1, Most: 5}
	same := slices.Repeat([][]int{{4, 4, 4, 4, 4}}, 5)
	c, err := s.Team(same)
	if err != nil || c.Mean != 4 || c.Agreement != 1 || !c.Agreed() || c.People != 5 || c.Scale.Most != 5 {
		t.Errorf("all alike: %+v, %v", c, err)
	}
	// Answers 3 3 3 4 4 to each item: s² = 0.3, σ² = 2, so r = 5·0.85/(5·0.85 + 0.15).
	two := [][]int{{3, 3, 3, 3, 3}, {4, 4, 4, 4, 4}, {3, 3, 3, 3, 3}, {4, 4, 4, 4, 4}, {3, 3, 3, 3, 3}}
	c, err = s.Team(two)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "mean", c.Mean, 3.4, 1e-12)
	near(t, "agreement", c.Agreement, 4.25/4.4, 1e-12)
	slices.Reverse(two)
	if again, err := s.Team(two); err != nil || again.Mean != c.Mean || again.Agreement != c.Agreement {
		t.Errorf("another order: %+v, %v", again, err)
	}
	// Two camps disagree more than chance would.
	c, err = s.Team([][]int{{1, 1, 1, 1, 1}, {5, 5, 5, 5, 5}, {1, 1, 1, 1, 1}, {5, 5, 5, 5, 5}, {1, 1, 1, 1, 1}, {5, 5, 5, 5, 5}})
	if err != nil || c.Agreement != 0 || c.Agreed() {
		t.Errorf("two camps: %+v, %v", c, err)
	}
	// Who answered too little is not one of the five.
	if c, err = s.Team(append(same[:4:4], []int{4, 4, 4, 4, Skipped})); !errors.Is(err, ErrFew) || c.People != 0 || c.Mean != 0 {
		t.Errorf("four and a half: %+v, %v", c, err)
	}
}

func TestScaleRefuses(t *testing.T) {
	good := []int{1, 1, 1, 1, 1}
	for name, c := range map[string]struct {
		scale   Scale
		answers []int
	}{
		"few items":         {Scale{Items: 4, Least: 1, Most: 5}, good[:4]},
		"upside down":       {Scale{Items: 5, Least: 5, Most: 1}, good},
		"endless":           {Scale{Items: 5, Least: 1, Most: math.MaxInt}, good},
		"reversed none":     {Scale{Items: 5, Least: 1, Most: 5, Reversed: []int{0}}, good},
		"reversed too far":  {Scale{Items: 5, Least: 1, Most: 5, Reversed: []int{6}}, good},
		"too few answers":   {Scale{Items: 6, Least: 1, Most: 5}, good},
		"over the greatest": {Scale{Items: 5, Least: 1, Most: 5}, []int{1, 1, 1, 1, 6}},
		"under the least":   {Scale{Items: 5, Least: 1, Most: 5}, []int{1, 1, 1, 1, 0}},
	} {
		if _, err := c.scale.Person(c.answers); err == nil {
			t.Errorf("%s: accepted", name)
		}
		if _, err := c.scale.Team([][]int{c.answers}); err == nil || errors.Is(err, ErrFew) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzRecommend: an error, or points in their range and in their order.
func FuzzRecommend(f *testing.F) {
	f.Add([]byte{10, 9, 8, 7, 6, 5}, 12)
	f.Add([]byte{10, 10, 10, 10, 10}, math.MaxInt)
	f.Add([]byte{0, 0, 0, 0, 0, 11}, -1)
	f.Fuzz(func(t *testing.T, data []byte, people int) {
		var answers []int
		for _, b := range data {
			answers = append(answers, int(int8(b)))
		}
		r, err := Recommend(answers, people)
		if err != nil {
			return
		}
		for _, pair := range [][2]float64{{-100, r.Low}, {r.Low, r.High}, {r.High, 100}, {-100 - 1e-9, r.Least}, {r.Least, r.Most}, {r.Most, 100 + 1e-9}, {-100, r.Score}, {r.Score, 100}, {0, r.SE}} {
			if !(pair[0] <= pair[1]) {
				t.Fatalf("%+v", r)
			}
		}
	})
}
