#!/usr/bin/env python3
"""Compare called variants with the true ones.

    compare.py --reference ref.fa.gz --truth truth.vcf --calls cohort.vcf.gz --out comparison.json

Both are normalised first, so that one variant is written in one way. A variant counts as found when sample, chromosome,
position, REF and ALT are the same. Exit code 1: the data is bad.
"""

import argparse
import gzip
import json
import os
import shutil
import sys
import tempfile
import zlib

import pysam
from pysam import bcftools


class DataError(Exception):
    """Says which file is bad and why."""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reference", required=True, help="FASTA, plain or gzipped")
    parser.add_argument("--truth", required=True, help="VCF of what there is")
    parser.add_argument("--calls", required=True, help="VCF of what was called")
    parser.add_argument("--out", required=True, help="the JSON to write")
    arguments = parser.parse_args()
    pysam.set_verbosity(1)  # errors only: htslib's warnings are about its own habits
    try:
        compare(arguments)
    except (DataError, OSError, ValueError, pysam.SamtoolsError) as error:
        sys.exit(f"compare.py: {explain(error)}")


def explain(error):
    """Of a samtools or bcftools error the last line of what the tool itself said."""
    if isinstance(error, pysam.SamtoolsError):
        return str(error.value).strip().splitlines()[-1].split("stderr=", 1)[-1]
    return error


def compare(arguments):
    with tempfile.TemporaryDirectory() as folder:
        reference = unpack_reference(arguments.reference, folder)
        truth = read_variants(arguments.truth, reference, folder)
        calls = read_variants(arguments.calls, reference, folder)
    for one, other, path in ((truth, calls, arguments.calls), (calls, truth, arguments.truth)):
        missing = sorted(one.keys() - other.keys())
        if missing:
            raise DataError(f"{path}: lacks the samples {', '.join(missing)}")
    samples = {sample: score(truth[sample], calls[sample]) for sample in sorted(truth)}
    total = {name: sum(row[name] for row in samples.values()) for name in ("planted", "found", "falsePositives")}
    result = {**with_shares(total), "samples": samples}
    with open(arguments.out, "w", encoding="utf-8") as file:
        json.dump(result, file, indent=2)
        file.write("\n")
    print_table({**samples, "total": result})


def unpack_reference(path, folder):
    """bcftools reads plain or bgzipped FASTA with an index beside it; ours may be neither, and not be ours to write."""
    plain = os.path.join(folder, "reference.fa")
    try:
        with open(path, "rb") as raw:
            magic = raw.read(2)
            raw.seek(0)
            with gzip.open(raw) if magic == b"\x1f\x8b" else raw as source, open(plain, "wb") as target:
                shutil.copyfileobj(source, target)
        pysam.faidx(plain)
    except (EOFError, zlib.error, gzip.BadGzipFile, pysam.SamtoolsError) as error:
        raise DataError(f"{path}: not readable FASTA: {explain(error)}") from error
    return plain


def read_variants(path, reference, folder):
    """Sample -> set of (chromosome, position, REF, ALT) it has at least one copy of."""
    normal = os.path.join(folder, "normal.vcf")
    try:
        bcftools.norm("-Ov", "-f", reference, "-m", "-any", "-o", normal, path, catch_stdout=False)
    except pysam.SamtoolsError as error:
        raise DataError(f"{path}: cannot be normalised against this reference: {explain(error)}") from error
    with pysam.VariantFile(normal) as file:
        variants = {sample: set() for sample in file.header.samples}
        for record in file:
            for sample, values in record.samples.items():
                if any(allele for allele in values.get("GT") or ()):
                    variants[sample].add((record.chrom, record.pos, record.ref, record.alts[0]))
    if not variants:
        raise DataError(f"{path}: has no samples")
    return variants


def score(truth, calls):
    return with_shares({"planted": len(truth), "found": len(truth & calls), "falsePositives": len(calls - truth)})


def with_shares(counts):
    called = counts["found"] + counts["falsePositives"]
    return {**counts, "recall": share(counts["found"], counts["planted"]), "precision": share(counts["found"], called)}


def share(part, whole):
    """None, in JSON null, where there is nothing to take a share of."""
    return round(part / whole, 4) if whole else None


def print_table(rows):
    line = "{:<20} {:>8} {:>8} {:>16} {:>8} {:>10}"
    print(line.format("sample", "planted", "found", "false positives", "recall", "precision"))
    for name, row in rows.items():
        shares = ["-" if row[key] is None else f"{row[key]:.4f}" for key in ("recall", "precision")]
        print(line.format(name, row["planted"], row["found"], row["falsePositives"], *shares), flush=True)


if __name__ == "__main__":
    main()
