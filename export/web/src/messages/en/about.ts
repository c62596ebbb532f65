import type { about as german } from "../de/about";

export const about: typeof german = {
  heading: "About the numbers",
  lead: "Where the numbers come from, how they are checked, and what they cannot say.",
  value: "What a number means",
  valueIs:
    "The city is divided into cells, mostly of one square kilometre. A cell's value is the mean of its stations: each counts the same, even if one sends more often. Where there are several, it says how far they are apart.",
  live: "Now : the mean of the last 60 minutes, without further condition.",
  hour: "Hour : a station counts when three quarters of the hour have good values (39. BImSchV, Anlage 11).",
  day: "Day : a station counts when 18 of its 24 hours do.",
  city: "City and districts : the mean over the cells where there are measurements. How much of the area that is always stands beside it.",
  checks: "How values are checked",
  checksAre: "No value is changed or deleted. What is doubtful gets a flag; most flags keep the value out of averages.",
  check_range:
    "Outside the measuring range : the sensor cannot measure such a value, or it does not occur outdoors; a known sensor is held to both. If a chip cannot measure one of its values, its others of that message do not count either.",
  check_sentinel: "No value : some sensors send a fixed number such as −999, or 0\u00a0% humidity, when they measure nothing.",
  check_inconsistent:
    "Contradictory : finer particles cannot be more than all together. It is doubtful from a difference of {share}\u00a0% and {by} µg/m³, and so is a fraction of exactly 0 beside more than {zero} µg/m³.",
  check_stuck:
    "Frozen : particles do not change at all for {stuck} hours, temperature, humidity or pressure for {stuckOthers}, or humidity stays at exactly 100\u00a0% for {saturated}.",
  check_spike:
    "Spike : an hour is very far from the station's last {spikeDays} days (factor {spike}), and the neighbours see nothing of it. If they see it too, as on New Year's Eve, the value stays.",
  check_humid: "Humid air : from {humid}\u00a0% humidity on simple sensors show too much. The value counts, but is corrected.",
  check_outlier: "Outlier : the hour is very far from at least {neighbours} neighbours within {near} to {far} km (factor {outlier}).",
  check_uncorrelated:
    "Out of step with its neighbours : over {past} days the station does not follow its neighbours (correlation below {r}).",
  check_indoor:
    "Indoors : on {indoorDays} of {indoorOf} days the temperature varies by less than {indoor}\u00a0% of what it does next door.",
  check_moved: "Moved : the pressure no longer fits the place (off by {moved} hPa).",
  check_clock:
    "Wrong clock : the time is more than {ahead} minutes in the future or {old} days ago. The value is refused, and the station is told.",
  checksShared: "The flags are in every file. Whoever wants to check in another way can.",
  correction: "Correction for humidity",
  correctionIs:
    "In humid air particles swell, and simple sensors count the water as well. So particulate matter is divided by a factor that depends on the humidity (κ‑Köhler, Crilley et al. 2018, here with κ = {kappa}). The measured value is always beside it. Without a humidity nearby the value stays as it is and is counted as uncorrected.",
  factors: "Correction by humidity",
  factor: "Divisor",
  indices: "The two indices",
  indicesAre:
    "An index turns numbers into words. The worst pollutant decides. Shown are the European Air Quality Index (EEA, 2024) and the German Luftqualitätsindex (Umweltbundesamt, 2025), both for hourly means. The figures are the upper bound of each class in µg/m³.",
  european: "European index",
  german: "German index",
  indexName:
    "What it is made of : an index is complete with particulate matter, nitrogen dioxide and ozone. Where one of them is missing, its name says so, mostly “from PM only”.",
  indexDay:
    "Days : neither index has classes for daily means, so there are none. The map then shows the concentration itself on a neutral scale.",
  indexFew: "The city : a statement about it needs at least three stations in three cells.",
  indicesNot:
    "Both indices are made for regulatory measurements. Here they are for orientation, not an official statement. Only what is measured is shown: where gases are missing, the air may be worse than the index says.",
  certainty: "How certain a value is",
  certaintyBeside:
    "Where official stations are nearby, the city compares its hourly means with theirs every night. The typical deviation stands at the values, and all about it on a page of its own:",
  kappaDefault:
    "While nothing has been compared, κ = 0.15 applies, the low end of what the literature gives (0.15 to 0.4). After that the comparison with official instruments proposes the city’s κ.",
  certaintyIs: "A single station may hang beside a barbecue. So each value says what it rests on.",
  single: "One station : hatched on the map; its place and its faults are the cell's.",
  few: "Few : two or three, or several that disagree.",
  good: "Good : four or more stations that fit together.",
  limits: "Limits and guidelines",
  limitsAre:
    "For orientation, in µg/m³: the EU's limits from 2030 on (Directive (EU) 2024/2881, Annex I) and the World Health Organization's guidelines of 2021. Whether a limit is kept is for regulatory measurements alone to say.",
  limitTable: "For comparison, in µg/m³",
  euYear: "EU, year",
  euDay: "EU, day",
  whoYear: "WHO, year",
  whoDay: "WHO, day",
  cannot: "What simple sensors cannot do",
  cannotOfficial: "Replace a city's instrument : they are neither calibrated nor approved.",
  cannotGas: "Measure gases reliably : nitrogen dioxide and ozone appear only when a sensor was calibrated beside a regulatory instrument.",
  cannotMicrogram:
    "Be right to the microgram : two equal sensors easily differ by 15\u00a0%. They are good at showing differences over the day and between places.",
  cannotUltrafine: "See ultrafine particles : soot from engines is too small for their light.",
  cannotAlarm: "Warn : when there is smoke or a smell of gas, call 112; do not look at this map.",
  privacy: "Where a station is",
  privacyIs:
    "Only the centre of a 100 m cell is public, never the exact spot. An e-mail address is optional and never shown. Notices about the station come only after a link in a mail was confirmed; each mail has a link that deletes the address. Address and webhook go with the station.",
  thresholds: "All thresholds in numbers",
  key: "Key",
  what: "What",
  source: "Source",
};
