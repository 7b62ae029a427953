package people

import (
	"encoding/binary"
	"strings"
)

// digits is Crockford's base 32 in lower case, without i, l, o and u: it can be
// read aloud and spells nothing.
const digits = "0123456789abcdefghjkmnpqrstvwxyz"

const (
	knownDigits   = 4
	unknownDigits = 8
)

// readable turns 7 + 7 + 5·n bits of a digest into two words and n digits.
func readable(digest []byte, n int) string {
	bits := binary.BigEndian.Uint64(digest)
	var b strings.Builder
	b.WriteString(firstWords[bits>>57])
	b.WriteByte('-')
	b.WriteString(secondWords[bits>>50&127])
	b.WriteByte('-')
	for i := range n {
		b.WriteByte(digits[bits>>(45-5*i)&31])
	}
	return b.String()
}

// firstWords are colours, materials and weather; none says anything of a
// person.
var firstWords = [128]string{
	"alpine", "amber", "apricot", "aqua", "arctic", "ash", "autumn", "azure",
	"bamboo", "basalt", "beige", "birch", "blue", "boreal", "brass", "bronze",
	"canyon", "cedar", "celadon", "cerulean", "chalk", "cinnamon", "citrine", "citrus",
	"clay", "cloud", "clover", "coastal", "cobalt", "copper", "coral", "cork",
	"cotton", "crimson", "crystal", "cyan", "dawn", "delta", "denim", "desert",
	"dune", "dusk", "ebony", "ember", "emerald", "equinox", "fern", "fjord",
	"flax", "flint", "forest", "frost", "garnet", "ginger", "glacier", "golden",
	"granite", "green", "harbor", "hazel", "heather", "hemp", "honey", "horizon",
	"indigo", "iris", "iron", "island", "ivory", "jade", "jasper", "juniper",
	"khaki", "lagoon", "lapis", "larch", "lavender", "lemon", "lilac", "lime",
	"linen", "lotus", "lunar", "magenta", "mahogany", "maple", "marble", "marine",
	"maroon", "meadow", "meridian", "mint", "mist", "moss", "nickel", "nordic",
	"ocean", "ochre", "olive", "onyx", "opal", "orange", "orchid", "pearl",
	"pewter", "pine", "polar", "prairie", "quartz", "rain", "reed", "ridge",
	"river", "ruby", "saffron", "sage", "sand", "sapphire", "scarlet", "sienna",
	"silver", "solar", "spruce", "teal", "topaz", "umber", "velvet", "willow",
}

// secondWords are birds, fish, beasts and trees that nobody is called by in
// anger.
var secondWords = [128]string{
	"albatross", "alder", "alpaca", "antelope", "argali", "aspen", "auk", "avocet",
	"badger", "banyan", "barbet", "beaver", "bison", "bittern", "bluebird", "bobolink",
	"bonito", "bream", "bulbul", "bunting", "buzzard", "caribou", "catalpa", "chaffinch",
	"chamois", "cicada", "civet", "condor", "cormorant", "crane", "cricket", "curlew",
	"cypress", "darter", "dipper", "dolphin", "dormouse", "dotterel", "dragonfly", "dunlin",
	"egret", "eider", "elk", "elm", "falcon", "fieldfare", "finch", "firefly",
	"flamingo", "flicker", "fulmar", "gannet", "gazelle", "gecko", "ginkgo", "godwit",
	"goldfinch", "grebe", "grouper", "grouse", "guillemot", "gurnard", "hare", "harrier",
	"hawthorn", "heron", "herring", "hickory", "hoopoe", "hornbeam", "ibex", "ibis",
	"impala", "jacana", "jackdaw", "kestrel", "kingfisher", "kinglet", "kittiwake", "kiwi",
	"koala", "kudu", "lapwing", "lark", "linden", "linnet", "lynx", "macaw",
	"mackerel", "mallard", "manatee", "marmot", "marten", "merganser", "merlin", "mongoose",
	"moorhen", "narwhal", "nightjar", "nuthatch", "ocelot", "oriole", "osprey", "otter",
	"ouzel", "oryx", "owl", "panda", "pelican", "petrel", "pipit", "plover",
	"poplar", "puffin", "quail", "redstart", "robin", "rowan", "sandpiper", "skylark",
	"sparrow", "starling", "swallow", "swift", "sycamore", "tanager", "tern", "wagtail",
}
