#!/bin/sh
# balance-report on the sample dataset and on what people mistype; with VG_DATA on files that are broken in every way.
. "$(dirname "$0")/../cli_lib.sh"
begin "$@"
report=$bin/balance-report
data=$work/shapes
"$bin/make-sample-dataset" --out "$data" >/dev/null || exit 1

run "$report" "$data"
expect_status 0
expect_no_err
expect_out 'DO FIRST'
expect_out '"circle" has 10 times as many images as "heart"'
expect_out 'imbalance  10 : 1'
expect_out '"crescent" is darker'
expect_out '4 broken'
refuse_out "$(printf '\033')" # no colours without a terminal
[ "$(awk '{ n = length($0); if (n > most) most = n } END { print most + 0 }' "$work/stdout")" -le 300 ] || # bytes
    complain "a line is too long"

run "$report" --json "$data"
expect_status 0
expect_no_err
expect_json 'r["files"]["found"] == 1270 == r["files"]["decoded"] + len(r["files"]["broken"])'
expect_json 'r["imbalance_ratio"] == 10 and [c["name"] for c in r["classes"]] == sorted(c["name"] for c in r["classes"])'
expect_json 'all(sum(c["splits"].values()) == c["count"] for c in r["classes"])'
expect_json '1 < r["effective_classes"] < 8 and r["majority"]["class"] == "circle" and r["minority"] == "heart"'
expect_json '[f["path"] for f in r["files"]["broken"]] == ["circle/circle-0006.png", "square/square-0008.jpg", "star/star-0012.jpg", "triangle/triangle-0004.jpg"]'
expect_json 'all(f["reason"] for f in r["files"]["broken"])'
expect_json '[f["path"] for f in r["files"]["noted"]] == ["cross/cross-0003.jpg"] and r["files"]["turned_by_exif"] == 10'
expect_json 'r["shortcuts"][0]["property"] == "brightness" and r["shortcuts"][0]["class"] == "crescent"'
expect_json 'r["plan"]["sampling"] == "balanced" and r["plan"]["class"] == "heart" and r["plan"]["seen"] > 3 * r["plan"]["images"]'
expect_json 'r["files"]["ignored"] == {"hidden": 1, "not_images": 1, "other_formats": 0, "empty_classes": 0, "unreadable": 0, "loose": 0, "other_folders": 0, "duplicates": 0, "unusable": 0, "unlabelled": 0}'

# The same for any number of threads, and options after the operand.
sed '/"seconds"/d' "$work/stdout" >"$work/first"
run "$report" "$data" --threads 1 --json
sed '/"seconds"/d' "$work/stdout" >"$work/second"
cmp -s "$work/first" "$work/second" || complain "the report depends on the number of threads"

run "$report" "$data" --html "$work/page.html" --quiet
expect_status 0
expect_out "report     $work/page.html"
grep -q '</html>' "$work/page.html" || complain "the page is not complete"
grep -q 'data:image/jpeg;base64,' "$work/page.html" || complain "the page has no pictures"
! grep -qE '(src|href)="?(https?:)?//' "$work/page.html" || complain "the page asks the network"

run "$report" "$data" --html "$work/no/such/folder/page.html"
expect_status 1
expect_err 'no/such/folder'

run "$report" "$data" --list files
expect_status 0
[ "$(wc -l <"$work/stdout")" -eq 5 ] || complain "expected 5 files"
expect_out "^broken	triangle/triangle-0004.jpg	"
expect_out "^warning	cross/cross-0003.jpg	is a PNG"

# Marks one by one, and the table of everything.
run "$report" "$data" --list turned --csv "$work/table.csv"
expect_status 0
[ "$(wc -l <"$work/stdout")" -eq 10 ] || complain "expected 10 turned pictures"
expect_out "^turned	circle/circle-0021.jpg	[0-9]*x[0-9]* pixels	circle	"
run "$report" "$data" --list blured
expect_status 2
expect_err 'did you mean "blurred"'
run "$report" "$data" --json
expect_json 'sum(1 for row in __import__("csv").DictReader(open("'"$work"'/table.csv", newline="")) if row["turned"] == "1") == r["marks"]["turned"] == 10'
expect_json 'len(list(__import__("csv").reader(open("'"$work"'/table.csv", newline="")))) == 1271'
expect_json 'r["fail_on"] == []'
expect_json 'r["normalization"]["recommended"] == "image-zscore" and [o["class"] for o in r["normalization"]["other_scale"]] == ["crescent"]'
expect_json 'len(r["normalization"]["classes"]) == 8 and all(len(c["mean"]) == 3 for c in r["normalization"]["classes"])'
expect_json 'all(abs(a - b) < 0.01 for a, b in zip(r["normalization"]["mean"], r["pixels"]["mean"]))'
expect_json 'all(abs(a - b) < 0.01 for a, b in zip(r["normalization"]["std"], r["pixels"]["std"]))'

# The plan as a job that the training takes.
run "$report" "$data" --plan "$work/balance.yaml"
expect_status 0
expect_out '^plan  *all classes equally often: "heart" seen 29 → 110 times an epoch in 110 different views'
expect_out "written to $work/balance.yaml; use it:"
expect_out "train-pipeline $data --job $work/balance.yaml"
expect_out '\* sampling=balanced  *878  *110  *29  *110  *12.5 %'
expect_out 'weights=inverse  *878  *29  *29  *29  *12.5 %'
grep -q '^  .*heart.*: rotate=' "$work/balance.yaml" || complain "the plan does not augment the rare classes"
"$bin/train-pipeline" "$data" --job "$work/balance.yaml" --epochs 1 --quiet --json --set net="[conv 4 k3 s2, globalpool]" \
    --out "$work/planned" >"$work/planned.json" 2>"$work/stderr"
status=$? command_line="train-pipeline --job balance.yaml"
expect_status 0
cp "$work/planned.json" "$work/stdout"
expect_json '"sampling: balanced" in r["job"] and "normalize: image-zscore" in r["job"] and "heart" in r["job"]'
run "$report" "$data" --json --quick --plan "$work/quick.yaml"
expect_status 0
expect_json 'r["plan"]["file"].endswith("quick.yaml") and sum(w["recommended"] for w in r["plan"]["ways"]) == 1 and len(r["plan"]["ways"]) == 8'
expect_json 'all(abs(sum(c["loss_share"] for c in w["classes"]) - 1) < 1e-6 and sum(c["seen"] for c in w["classes"]) == w["epoch"] for w in r["plan"]["ways"])'
expect_json '[c["class"] for c in r["plan"]["augment_classes"]] == ["crescent", "heart"]'
! grep -q '^normalize' "$work/quick.yaml" || complain "a normalization from no picture"
run "$report" "$data" --quick --plan "$work/no/such/plan.yaml"
expect_status 1

# Another dataset: a part of the same, brighter, with a class more.
mkdir -p "$work/other/new"
for class in star cross heart; do
    mkdir "$work/other/$class" && cp "$data/$class"/*-000*.* "$data/$class"/*-001*.* "$work/other/$class/"
done
cp "$data"/ring/ring-0001.* "$work/other/new/"
run "$report" "$work/other" --against "$data" --fail-on 'missing-classes>0, copies-across>=10' --html "$work/against.html"
expect_status 3
expect_err 'missing-classes>0: found 1'
expect_err 'copies-across>=10: found'
expect_out '^against  *'
expect_out 'a class of this one that it lacks: "new"'
expect_out 'of its pictures are also here'
grep -q 'Against another dataset' "$work/against.html" || complain "the page does not compare"
run "$report" "$work/other" --against "$data" --quick --json --fail-on 'moved>0'
expect_status 3
expect_json 'r["against"]["copies"] is None and r["against"]["class_shares"]["verdict"] in ("some", "grave") and r["against"]["moved"] == 1'
expect_json '[c["class"] for c in r["against"]["classes"] if c["there"] is None] == ["new"] and len(r["against"]["classes"]) == 9'
run "$report" "$data" --quick --fail-on 'moved>0'
expect_status 2
expect_err 'needs another dataset: --against OTHER'
run "$report" "$data" --quick --against "$work/nowhere"
expect_status 1
expect_err "$work/nowhere"

# Conditions: a status of its own, what held on stderr, in every form of the report.
run "$report" "$data" --fail-on 'imbalance>9, broken>1%' --quiet
expect_status 3
expect_err '^balance-report: --fail-on imbalance>9: found 10$'
[ "$(wc -l <"$work/stderr")" -eq 1 ] || complain "a condition that does not hold is told"
expect_out 'fail-on  *imbalance>9: found 10: HOLDS'
expect_out 'broken>1%: found 0.315 % (4 images), passes'
run "$report" "$data" --fail-on 'imbalance>10' --fail-on 'broken>3' --json
expect_status 3
expect_json '[(c["name"], c["found"], c["holds"]) for c in r["fail_on"]] == [("imbalance", 10, False), ("broken", 4, True)]'
run "$report" "$data" --fail-on 'broken>4' --list files
expect_status 0
expect_no_err
run "$report" "$data" --quick --fail-on 'classes<8, imbalance >= 10'
expect_status 3
expect_err 'imbalance >= 10: found 10'
run "$report" "$data" --quick --fail-on 'broken>0'
expect_status 2
expect_err 'needs the pictures'
run "$report" "$data" --fail-on 'imbalence>3'
expect_status 2
expect_err 'did you mean "imbalance"'
expect_no_out

run "$report" "$data" --on-error fail
expect_status 1
expect_no_out
expect_err 'circle/circle-0006.png'

# A name that is no plain text reaches neither terminal nor page as it is.
mkdir -p "$work/odd/a<b>&'" "$work/odd/b"
cp "$data"/ring/ring-0001.* "$work/odd/a<b>&'/"
cp "$data"/ring/ring-0002.* "$work/odd/b/$(printf 'x\033[31m').jpg"
run "$report" "$work/odd" --html "$work/odd.html"
expect_status 0
refuse_out "$(printf '\033')"
! grep -q "a<b>" "$work/odd.html" || complain "a class name is not escaped in the page"

# Labels alone: the same counts, no picture opened.
run "$report" "$data" --json
cp "$work/stdout" "$work/whole.json"
run "$report" "$data" --quick --json
expect_status 0
expect_no_err
expect_json 'r["quick"] and r["files"]["found"] == 1270 and r["files"]["decoded"] is None and r["shortcuts"] == []'
expect_json '[(c["name"], c["splits"]) for c in r["classes"]] == [(c["name"], c["splits"]) for c in json.load(open("'"$work"'/whole.json"))["classes"]]'
expect_json '(r["plan"], r["imbalance_ratio"]) == tuple(json.load(open("'"$work"'/whole.json"))[k] for k in ("plan", "imbalance_ratio"))'
expect_json 'r["labels"] == json.load(open("'"$work"'/whole.json"))["labels"] and set(r["labels"]) == {"splits", "drift", "order"}'
expect_json 'sum(r["labels"]["splits"][s]["images"] for s in ("train", "val", "test")) == 1270 and r["labels"]["order"] is None'
mkdir -p "$work/names/a" "$work/names/b"
for i in 1 2 3 4; do : >"$work/names/a/$i.jpg"; : >"$work/names/b/$i.png"; done
chmod 000 "$work"/names/?/*
run "$report" "$work/names" --quick
expect_status 0
expect_no_err
expect_out '8 images, 2 classes'
expect_out 'files      none was opened'
expect_out 'No picture was opened'
refuse_out 'shortcuts'
for other in '--html x.html' '--csv x.csv' '--list files' '--list dark' '--on-error fail'; do
    run "$report" "$data" --quick $other
    expect_status 2
    expect_err '--quick opens no picture'
done

run "$report"
expect_status 2
expect_err 'usage: balance-report'
expect_no_out
run "$report" "$data" "$data"
expect_status 2
run "$report" "$data" --jsn
expect_status 2
expect_err 'did you mean "--json"'
run "$report" "$data" --on-error stop
expect_status 2
expect_err 'skip or fail'
run "$report" "$data" --list classes
expect_status 2
run "$report" "$work/nowhere"
expect_status 1
expect_err "^balance-report: $work/nowhere"
expect_no_out
mkdir "$work/empty"
run "$report" "$work/empty" --json
expect_status 1
expect_err "$work/empty"
expect_no_out
run "$report" "$data" --json >/dev/null
if [ -w /dev/full ]; then
    "$report" "$data" --json >/dev/full 2>"$work/stderr"
    status=$? command_line="balance-report >/dev/full"
    expect_status 1
fi
run "$report" --help
expect_status 0
expect_out '^usage: balance-report'
expect_no_err

# Every file of a collection of broken and odd pictures gets a verdict.
if [ -d "${VG_DATA:-}/odd-images" ]; then
    run "$report" "$VG_DATA/odd-images" --json
    expect_status 0
    expect_no_err
    expect_json 'r["files"]["found"] == r["files"]["decoded"] + len(r["files"]["broken"]) and len(r["files"]["broken"]) > 500'
    expect_json 'all(f["reason"] for f in r["files"]["broken"] + r["files"]["noted"])'
    expect_json 'len({f["path"] for f in r["files"]["broken"]}) == len(r["files"]["broken"])'
    run "$report" "$VG_DATA/odd-images" --html "$work/odd-images.html" --quiet
    expect_status 0
else
    echo "skipped: odd-images (set VG_DATA)"
fi
finish
