#!/usr/bin/env python3
"""Call the variants of one sample of a haploid genome with bcftools (pysam).

    call.py --reference ref.fa.gz --bam S.bam --out S.vcf.gz [--region chrom[:from-to]] [--min-quality 20]

Writes S.vcf.gz and S.vcf.gz.tbi. Exit code 1: the data is bad.
"""

import argparse
import gzip
import os
import re
import shutil
import sys
import tempfile
import time
import zlib

import pysam
from pysam import bcftools


class DataError(Exception):
    """Says which file is bad and why."""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reference", required=True, help="FASTA, plain or gzipped")
    parser.add_argument("--bam", required=True, help="coordinate-sorted BAM of one sample")
    parser.add_argument("--region", help="only here: chrom or chrom:from-to (default: everywhere)")
    parser.add_argument("--min-quality", type=float, default=20, help="least QUAL of a call (default: 20)")
    parser.add_argument("--out", required=True, help="the VCF to write, bgzipped; its index gets .tbi behind the name")
    arguments = parser.parse_args()
    if arguments.min_quality < 0:
        parser.error("--min-quality: expected a number from 0")
    pysam.set_verbosity(1)  # errors only: htslib's warnings are about its own habits
    try:
        call(arguments)
    except (DataError, OSError, ValueError, pysam.SamtoolsError) as error:
        sys.exit(f"call.py: {explain(error)}")


def explain(error):
    """Of a samtools or bcftools error the last line of what the tool itself said."""
    if isinstance(error, pysam.SamtoolsError):
        return str(error.value).strip().splitlines()[-1].split("stderr=", 1)[-1]
    return error


def call(arguments):
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        reference = unpack_reference(arguments.reference, folder)
        sample = check_bam(arguments.bam, reference, arguments.region)
        print(f"{sample}: calling {arguments.region or 'everywhere'}", flush=True)
        bam, region = arguments.bam, []
        if arguments.region:
            bam, region = with_index(arguments.bam, folder), ["--regions", arguments.region]

        pileup, found, normal = (os.path.join(folder, name) for name in ("pileup.bcf", "found.bcf", "normal.vcf"))
        annotations = ["--annotate", "FORMAT/AD,FORMAT/DP"]
        try:
            run(bcftools.mpileup, "-Ou", "-f", reference, *annotations, *region, "-o", pileup, bam)
        except pysam.SamtoolsError as error:
            raise DataError(f"{arguments.bam}: {explain(error)}") from error
        run(bcftools.call, "-Ou", "-mv", "--ploidy", "1", "-o", found, pileup)
        run(bcftools.norm, "-Ov", "-f", reference, "-m", "-any", "-o", normal, found)
        enough = f"QUAL>={arguments.min_quality:g}"
        # Reads that end inside an indel look like SNPs beside it.
        strict = ["--include", enough, "--SnpGap", "3"]
        run(bcftools.filter, "-Oz", "--write-index=tbi", *strict, "-o", arguments.out, normal)
        called = count(normal)
    kept = count(arguments.out)
    seconds = time.monotonic() - began
    why = f"QUAL below {arguments.min_quality:g}, or a SNP beside an indel"
    print(f"{sample}: {kept} variants, {called - kept} left out ({why})", flush=True)
    print(f"{sample}: wrote {arguments.out} and its index in {seconds:.1f} s", flush=True)


def run(command, *arguments):
    """Runs one bcftools command; what it says on success is of no interest."""
    command(*arguments, catch_stdout=False)


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


def check_bam(path, reference, region):
    """Returns the sample's name."""
    try:
        pysam.quickcheck(path)
    except pysam.SamtoolsError as error:
        raise DataError(f"{path}: not a whole BAM") from error
    with pysam.AlignmentFile(path, "rb", check_sq=False) as bam, pysam.FastaFile(reference) as fasta:
        lengths = dict(zip(fasta.references, fasta.lengths))
        for name, length in zip(bam.references, bam.lengths):
            if lengths.get(name) != length:
                raise DataError(f"{path}: was made with another reference: {name} ({length} bases) is not in this one")
        samples = {group.get("SM") for group in bam.header.to_dict().get("RG", [])}
        if len(samples) != 1 or None in samples:
            raise DataError(f"{path}: expected read groups of one sample, found {len(samples)}")
        if bam.header.to_dict().get("HD", {}).get("SO") != "coordinate":
            raise DataError(f"{path}: not sorted by coordinate")
        check_region(region, lengths)
    return samples.pop()


def check_region(region, lengths):
    if not region or region in lengths:
        return
    match = re.fullmatch(r"(.+):(\d+)(?:-(\d+))?", region)
    if not match or match[1] not in lengths:
        raise DataError(f"--region {region}: the reference has only {', '.join(lengths)}")
    start, end = int(match[2]), int(match[3] or match[2])
    if not 1 <= start <= end <= lengths[match[1]]:
        raise DataError(f"--region {region}: expected from-to within 1-{lengths[match[1]]}")


def with_index(path, folder):
    """A region needs an index; where there is none beside the BAM it is made in our own folder."""
    if os.path.exists(f"{path}.bai"):
        return path
    index = os.path.join(folder, "reads.bai")
    pysam.index("-o", index, path)
    return f"{path}##idx##{index}"


def count(path):
    with pysam.VariantFile(path) as file:
        return sum(1 for _ in file)


if __name__ == "__main__":
    main()
