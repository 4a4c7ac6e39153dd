#!/usr/bin/env python3
"""Merge the calls of several samples into one VCF with bcftools (pysam).

    merge.py --out cohort.vcf.gz a.vcf.gz b.vcf.gz ...

Writes cohort.vcf.gz and cohort.vcf.gz.tbi. The genotype "." means: not called in this sample.
Exit code 1: the data is bad.
"""

import argparse
import os
import sys

import pysam
from pysam import bcftools


class DataError(Exception):
    """Says which file is bad and why."""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True, help="the VCF to write, bgzipped; its index gets .tbi behind the name")
    parser.add_argument("calls", nargs="+", help="VCF files of different samples, sorted; an index is not needed")
    arguments = parser.parse_args()
    pysam.set_verbosity(0)  # htslib would complain of every file without an index; what is wrong we say ourselves
    try:
        merge(arguments.calls, arguments.out)
    except (DataError, OSError, ValueError, pysam.SamtoolsError) as error:
        sys.exit(f"merge.py: {explain(error)}")


def explain(error):
    """Of a samtools or bcftools error the last line of what the tool itself said."""
    if isinstance(error, pysam.SamtoolsError):
        return str(error.value).strip().splitlines()[-1].split("stderr=", 1)[-1]
    return error


def merge(paths, out):
    print(f"merging {len(paths)} files", flush=True)
    check(paths)
    # Each ALT keeps a record of its own, so that one place can be looked up as it was called.
    options = ["--no-index", "--force-single", "-m", "none", "-Oz", "--write-index=tbi"]
    bcftools.merge(*options, "-o", out, *paths, catch_stdout=False)
    with pysam.VariantFile(out) as merged:
        variants = sum(1 for _ in merged)
        print(f"wrote {out}: {variants} variants in {len(merged.header.samples)} samples", flush=True)


def check(paths):
    found = {}
    contigs = None
    for path in paths:
        samples, own = read(path)
        for sample in samples:
            if sample in found:
                raise DataError(f"{path}: sample {sample} is in {found[sample]} as well")
            found[sample] = path
        if contigs is not None and own != contigs:
            raise DataError(f"{path}: was made with another reference than {paths[0]}")
        contigs = own
    if not found:
        raise DataError("no samples in these files")


def read(path):
    """Samples and contigs of a file. It is read to its end, since bcftools does not say which file is damaged."""
    if not os.path.exists(path):
        raise DataError(f"{path}: there is no such file")
    try:
        with pysam.VariantFile(path) as file:
            for _ in file:
                pass
            return list(file.header.samples), [(contig.name, contig.length) for contig in file.header.contigs.values()]
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: not a whole VCF") from error


if __name__ == "__main__":
    main()
