package geo

import (
	"slices"

	"github.com/paulmach/orb"
)

// A sketch of Cologne for demonstrations: typed by hand from knowledge of the city, wrong by up to two kilometres. Its parts
// are lines that end where three areas meet, so that neighbours share their border. A city configures files of its own.
var (
	// The city's border, clockwise from the north-west of Ehrenfeld, by the district that lies within it.
	borderChorweiler = orb.LineString{
		{6.862, 50.988}, {6.852, 50.990}, {6.846, 50.996}, {6.836, 50.999}, {6.826, 51.001}, {6.818, 51.006},
		{6.814, 51.011}, {6.822, 51.015}, {6.830, 51.018}, {6.836, 51.023}, {6.834, 51.030}, {6.830, 51.036},
		{6.824, 51.041}, {6.818, 51.044}, {6.812, 51.048}, {6.806, 51.052}, {6.802, 51.058}, {6.806, 51.063},
		{6.812, 51.067}, {6.820, 51.070}, {6.828, 51.072}, {6.835, 51.075}, {6.842, 51.079}, {6.848, 51.083},
		{6.856, 51.085}, {6.864, 51.084}, {6.871, 51.080}, {6.873, 51.075}, {6.877, 51.069}, {6.884, 51.064},
		{6.893, 51.059}, {6.903, 51.055}, {6.913, 51.051}, {6.922, 51.047}, {6.932, 51.044}, {6.943, 51.044},
		{6.953, 51.045}, {6.962, 51.043}, {6.968, 51.038}, {6.969, 51.033}, {6.968, 51.028},
	}
	borderMuelheim = orb.LineString{
		{6.968, 51.028}, {6.974, 51.025}, {6.981, 51.022}, {6.987, 51.019}, {6.994, 51.016}, {7.001, 51.013},
		{7.008, 51.012}, {7.015, 51.014}, {7.022, 51.017}, {7.029, 51.019}, {7.036, 51.022}, {7.043, 51.024},
		{7.050, 51.024}, {7.056, 51.021}, {7.062, 51.017}, {7.066, 51.012}, {7.070, 51.007}, {7.073, 51.001},
		{7.074, 50.995}, {7.079, 50.991}, {7.086, 50.990}, {7.093, 50.987}, {7.099, 50.983}, {7.101, 50.977},
		{7.099, 50.971}, {7.103, 50.966}, {7.109, 50.962},
	}
	borderKalk = orb.LineString{
		{7.109, 50.962}, {7.115, 50.958}, {7.120, 50.953}, {7.127, 50.950}, {7.134, 50.947}, {7.141, 50.943},
		{7.148, 50.939}, {7.154, 50.934}, {7.159, 50.929}, {7.162, 50.923}, {7.158, 50.918}, {7.151, 50.915},
		{7.144, 50.911},
	}
	borderPorz = orb.LineString{
		{7.144, 50.911}, {7.138, 50.906}, {7.136, 50.900}, {7.139, 50.894}, {7.144, 50.889}, {7.150, 50.884},
		{7.155, 50.878}, {7.157, 50.872}, {7.153, 50.867}, {7.148, 50.863}, {7.145, 50.857}, {7.140, 50.852},
		{7.132, 50.850}, {7.124, 50.849}, {7.117, 50.846}, {7.110, 50.843}, {7.103, 50.840}, {7.095, 50.837},
		{7.087, 50.834}, {7.079, 50.832}, {7.071, 50.831}, {7.063, 50.832}, {7.056, 50.835}, {7.049, 50.838},
		{7.041, 50.840}, {7.033, 50.841}, {7.025, 50.842}, {7.016, 50.843}, {7.008, 50.843},
	}
	borderRodenkirchen = orb.LineString{
		{7.008, 50.843}, {7.002, 50.840}, {6.996, 50.837}, {6.989, 50.838}, {6.982, 50.841}, {6.975, 50.843},
		{6.967, 50.844}, {6.959, 50.843}, {6.951, 50.842}, {6.943, 50.842}, {6.935, 50.843}, {6.927, 50.845},
		{6.919, 50.847}, {6.915, 50.852}, {6.918, 50.858}, {6.922, 50.863}, {6.925, 50.869}, {6.924, 50.875},
		{6.920, 50.880}, {6.915, 50.885}, {6.914, 50.891}, {6.917, 50.897}, {6.919, 50.902},
	}
	borderLindenthal = orb.LineString{
		{6.919, 50.902}, {6.913, 50.905}, {6.906, 50.907}, {6.899, 50.909}, {6.892, 50.911}, {6.885, 50.911},
		{6.878, 50.909}, {6.870, 50.908}, {6.862, 50.908}, {6.854, 50.909}, {6.847, 50.912}, {6.840, 50.914},
		{6.835, 50.918}, {6.833, 50.924}, {6.828, 50.928}, {6.820, 50.929}, {6.812, 50.930}, {6.804, 50.931},
		{6.797, 50.934}, {6.789, 50.937}, {6.781, 50.940}, {6.774, 50.944}, {6.776, 50.950}, {6.783, 50.954},
		{6.790, 50.957}, {6.797, 50.960}, {6.801, 50.966}, {6.806, 50.971}, {6.813, 50.975}, {6.821, 50.977},
		{6.829, 50.977}, {6.836, 50.976},
	}
	borderEhrenfeld = orb.LineString{
		{6.836, 50.976}, {6.843, 50.978}, {6.849, 50.981}, {6.855, 50.984}, {6.862, 50.988},
	}

	// The middle of the Rhine, from north to south, by what it passes.
	rhineMerkenich = orb.LineString{
		{6.968, 51.028}, {6.966, 51.022}, {6.965, 51.016}, {6.967, 51.010}, {6.970, 51.004}, {6.974, 50.998},
	}
	rhineNiehl = orb.LineString{
		{6.974, 50.998}, {6.980, 50.993}, {6.986, 50.988}, {6.991, 50.982}, {6.995, 50.976}, {6.997, 50.970},
		{6.994, 50.965}, {6.987, 50.960}, {6.979, 50.956},
	}
	rhineDeutz = orb.LineString{
		{6.979, 50.956}, {6.974, 50.951}, {6.969, 50.946}, {6.966, 50.941}, {6.965, 50.936}, {6.966, 50.931},
		{6.969, 50.926}, {6.973, 50.921},
	}
	rhinePorz = orb.LineString{
		{6.973, 50.921}, {6.977, 50.916}, {6.981, 50.910}, {6.986, 50.904}, {6.993, 50.900}, {7.002, 50.900},
		{7.012, 50.902}, {7.022, 50.904}, {7.032, 50.904}, {7.041, 50.900}, {7.047, 50.894}, {7.049, 50.888},
		{7.047, 50.881}, {7.042, 50.875}, {7.036, 50.869}, {7.030, 50.863}, {7.023, 50.857}, {7.015, 50.851},
		{7.008, 50.843},
	}

	// The borders between districts.
	chorweilerEhrenfeld = orb.LineString{
		{6.897, 50.992}, {6.888, 50.993}, {6.878, 50.991}, {6.870, 50.988}, {6.862, 50.988},
	}
	chorweilerNippes = orb.LineString{
		{6.897, 50.992}, {6.906, 50.997}, {6.916, 51.001}, {6.927, 51.003}, {6.938, 51.004}, {6.950, 51.003},
		{6.962, 51.001}, {6.974, 50.998},
	}
	ehrenfeldNippes = orb.LineString{
		{6.897, 50.992}, {6.903, 50.986}, {6.909, 50.980}, {6.915, 50.974}, {6.921, 50.968}, {6.928, 50.962},
		{6.934, 50.957},
	}
	innenstadtNippes = orb.LineString{
		{6.934, 50.957}, {6.944, 50.957}, {6.954, 50.957}, {6.965, 50.957}, {6.979, 50.956},
	}
	innenstadtEhrenfeld = orb.LineString{
		{6.934, 50.957}, {6.929, 50.952}, {6.925, 50.947}, {6.922, 50.942}, {6.922, 50.938},
	}
	lindenthalEhrenfeld = orb.LineString{
		{6.922, 50.938}, {6.911, 50.940}, {6.900, 50.943}, {6.889, 50.945}, {6.878, 50.947}, {6.867, 50.951},
		{6.859, 50.957}, {6.852, 50.963}, {6.846, 50.969}, {6.841, 50.973}, {6.836, 50.976},
	}
	innenstadtLindenthal = orb.LineString{
		{6.922, 50.938}, {6.924, 50.932}, {6.928, 50.926}, {6.933, 50.920},
	}
	lindenthalRodenkirchen = orb.LineString{
		{6.933, 50.920}, {6.930, 50.914}, {6.926, 50.908}, {6.922, 50.904}, {6.919, 50.902},
	}
	innenstadtRodenkirchen = orb.LineString{
		{6.933, 50.920}, {6.942, 50.919}, {6.951, 50.919}, {6.960, 50.919}, {6.967, 50.920}, {6.973, 50.921},
	}
	innenstadtPorz = orb.LineString{
		{6.973, 50.921}, {6.979, 50.925}, {6.986, 50.927}, {6.993, 50.929},
	}
	innenstadtKalk = orb.LineString{
		{6.993, 50.929}, {6.996, 50.934}, {6.997, 50.940}, {6.995, 50.946},
	}
	innenstadtMuelheim = orb.LineString{
		{6.995, 50.946}, {6.990, 50.950}, {6.984, 50.953}, {6.979, 50.956},
	}
	muelheimKalk = orb.LineString{
		{6.995, 50.946}, {7.004, 50.948}, {7.014, 50.948}, {7.024, 50.950}, {7.034, 50.953}, {7.044, 50.957},
		{7.054, 50.960}, {7.064, 50.962}, {7.075, 50.963}, {7.086, 50.965}, {7.097, 50.964}, {7.109, 50.962},
	}
	kalkPorz = orb.LineString{
		{6.993, 50.929}, {7.003, 50.926}, {7.014, 50.924}, {7.025, 50.923}, {7.036, 50.921}, {7.046, 50.917},
		{7.057, 50.914}, {7.068, 50.911}, {7.079, 50.909}, {7.091, 50.907}, {7.103, 50.906}, {7.115, 50.908},
		{7.128, 50.910}, {7.144, 50.911},
	}

	// The Rhine above and below the city.
	rhineAbove = orb.LineString{
		{7.065, 50.770}, {7.040, 50.780}, {7.018, 50.795}, {7.005, 50.808}, {6.993, 50.820}, {6.993, 50.830}, {7.008, 50.843},
	}
	rhineBelow = orb.LineString{
		{6.871, 51.080}, {6.873, 51.088}, {6.876, 51.096}, {6.868, 51.105}, {6.853, 51.110}, {6.843, 51.118}, {6.842, 51.128},
	}
)

// CologneSketch returns a rough outline of Cologne.
func CologneSketch() *Boundary {
	return sketch(borderChorweiler, borderMuelheim, borderKalk, borderPorz, borderRodenkirchen, borderLindenthal, borderEhrenfeld)
}

// CologneDistricts returns Cologne's nine districts, sorted by name, which fill the outline.
func CologneDistricts() []District {
	return []District{
		{"Chorweiler", sketch(borderChorweiler, rhineMerkenich, back(chorweilerNippes), chorweilerEhrenfeld)},
		{"Ehrenfeld", sketch(borderEhrenfeld, back(chorweilerEhrenfeld), ehrenfeldNippes, innenstadtEhrenfeld, lindenthalEhrenfeld)},
		{"Innenstadt", sketch(innenstadtNippes, back(innenstadtMuelheim), back(innenstadtKalk), back(innenstadtPorz), back(innenstadtRodenkirchen), back(innenstadtLindenthal), back(innenstadtEhrenfeld))},
		{"Kalk", sketch(borderKalk, back(kalkPorz), innenstadtKalk, muelheimKalk)},
		{"Lindenthal", sketch(borderLindenthal, back(lindenthalEhrenfeld), innenstadtLindenthal, lindenthalRodenkirchen)},
		{"Mülheim", sketch(borderMuelheim, back(muelheimKalk), innenstadtMuelheim, back(rhineNiehl), back(rhineMerkenich))},
		{"Nippes", sketch(chorweilerNippes, rhineNiehl, back(innenstadtNippes), back(ehrenfeldNippes))},
		{"Porz", sketch(borderPorz, back(rhinePorz), innenstadtPorz, kalkPorz)},
		{"Rodenkirchen", sketch(borderRodenkirchen, back(lindenthalRodenkirchen), innenstadtRodenkirchen, rhinePorz)},
	}
}

// CologneWater returns the Rhine from Bonn to Zons.
func CologneWater() []orb.Geometry {
	inCity := slices.Concat(back(rhinePorz), back(rhineDeutz), back(rhineNiehl), back(rhineMerkenich))
	river := slices.Concat(rhineAbove, inCity, back(borderChorweiler[26:]), rhineBelow)
	return []orb.Geometry{orb.LineString(slices.CompactFunc(river, orb.Point.Equal))}
}

// sketch returns the area within lines that lie end to start.
func sketch(lines ...orb.LineString) *Boundary {
	ring := orb.Ring(slices.CompactFunc(slices.Concat(lines...), orb.Point.Equal))
	b, err := NewBoundary(orb.MultiPolygon{{ring}})
	if err != nil {
		panic(err) // constants that a test checks
	}
	return b
}

// back returns a line from its end to its start.
func back(line orb.LineString) orb.LineString {
	turned := slices.Clone(line)
	turned.Reverse()
	return turned
}
