#!/usr/bin/env python3
"""Align paired short reads to a reference with minimap2 (mappy) into a sorted, indexed BAM.

    align.py --reference ref.fa.gz --sample S --reads S_1.fq.gz S_2.fq.gz --out S.bam

Writes S.bam and S.bam.bai. Each read gets one record, its primary alignment. Exit code 1: the data is bad.
"""

import argparse
import gzip
import io
import os
import re
import shutil
import sys
import tempfile
import time
import zlib

import mappy
import pysam

# CIGAR operations, as numbered in BAM.
SOFT_CLIP = 4


class DataError(Exception):
    """Says which file is bad and why."""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reference", required=True, help="FASTA, plain or gzipped")
    parser.add_argument("--sample", required=True, help="name that goes into the read group")
    parser.add_argument("--reads", required=True, nargs=2, metavar=("R1", "R2"), help="FASTQ, plain or gzipped")
    parser.add_argument("--out", required=True, help="the BAM to write; its index gets .bai behind the name")
    parser.add_argument("--max-insert", type=int, default=1000, help="of a proper pair, in bases (default: 1000)")
    arguments = parser.parse_args()
    if not re.fullmatch(r"[!-~]+", arguments.sample):
        parser.error("--sample: expected a name without spaces")
    pysam.set_verbosity(1)  # errors only: htslib's warnings are about its own habits
    try:
        align(arguments)
    except (DataError, OSError, pysam.SamtoolsError) as error:
        sys.exit(f"align.py: {explain(error)}")


def explain(error):
    """Of a samtools or bcftools error the last line of what the tool itself said."""
    if isinstance(error, pysam.SamtoolsError):
        return str(error.value).strip().splitlines()[-1].split("stderr=", 1)[-1]
    return error


def align(arguments):
    progress = Progress(arguments.sample, os.path.getsize(arguments.reads[0]))
    with tempfile.TemporaryDirectory() as folder:
        reference = unpack_reference(arguments.reference, folder)
        header = make_header(reference, arguments.sample)
        aligner = mappy.Aligner(reference, preset="sr")
        if not aligner:
            raise DataError(f"{arguments.reference}: minimap2 cannot index it")
        unsorted = os.path.join(folder, "unsorted.bam")
        # Level 0 inside: this file lives for a second only.
        with pysam.AlignmentFile(unsorted, "wb0", header=header) as bam:
            for first, second, position in read_pairs(*arguments.reads):
                records = align_pair(aligner, header, arguments.sample, first, second)
                link_mates(*records, arguments.max_insert)
                for record in records:
                    bam.write(record)
                progress.add(records, position)
        if progress.pairs == 0:
            raise DataError(f"{arguments.reads[0]}: no reads")
        progress.end()
        pysam.sort("-T", os.path.join(folder, "sort"), "-o", arguments.out, unsorted)
    pysam.index(arguments.out)
    print(f"{arguments.sample}: wrote {arguments.out} and its index", flush=True)


def unpack_reference(path, folder):
    """minimap2 takes a broken FASTA for a short one; samtools does not, and knows names and lengths."""
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


def make_header(reference, sample):
    with pysam.FastaFile(reference) as fasta:
        sequences = [{"SN": name, "LN": length} for name, length in zip(fasta.references, fasta.lengths)]
    # A tab in the command line would start another field.
    program = {"ID": "minimap2", "PN": "minimap2", "VN": mappy.__version__, "CL": " ".join(" ".join(sys.argv).split())}
    group = {"ID": sample, "SM": sample, "LB": sample, "PL": "ILLUMINA"}
    return pysam.AlignmentHeader.from_dict(
        {"HD": {"VN": "1.6", "SO": "unsorted"}, "SQ": sequences, "RG": [group], "PG": [program]}
    )


def read_pairs(path1, path2):
    """Yields (name, bases, qualities) of both ends, and how far into the first file we are, in bytes."""
    with open(path1, "rb") as raw1, open(path2, "rb") as raw2:
        reads1, reads2 = parse_fastq(raw1, path1), parse_fastq(raw2, path2)
        while True:
            first, second = next(reads1, None), next(reads2, None)
            if first is None and second is None:
                return
            if first is None or second is None:
                raise DataError(f"{path1 if first is None else path2}: ends before {path2 if first is None else path1}")
            if first[0] != second[0]:
                raise DataError(f"{path1} and {path2} are not in the same order: {first[0]} stands beside {second[0]}")
            yield first, second, raw1.tell()


def parse_fastq(raw, path):
    """minimap2's own reader takes a broken file for a short one; this one does not."""
    text = io.TextIOWrapper(gzip.GzipFile(fileobj=raw) if is_gzip(raw) else raw, encoding="ascii")
    number = 0
    try:
        while True:
            header, bases, plus, qualities = lines = [text.readline().rstrip("\r\n") for _ in range(4)]
            if not any(lines) and not text.read().strip():
                return
            if not header.startswith("@") or not plus.startswith("+"):
                raise DataError(f"{path}: line {number * 4 + 1}: not a FASTQ record")
            if not bases or len(bases) != len(qualities):
                raise DataError(f"{path}: line {number * 4 + 1}: {len(bases)} bases with {len(qualities)} qualities")
            number += 1
            yield plain_name(header), bases.upper(), qualities
    except (EOFError, zlib.error, gzip.BadGzipFile, UnicodeDecodeError) as error:
        raise DataError(f"{path}: damaged after {number} reads: {error}") from error


def is_gzip(raw):
    magic = raw.read(2)
    raw.seek(0)
    return magic == b"\x1f\x8b"


def plain_name(header):
    """Of "@name/1 comment" the name, which both ends share."""
    name = header[1:].split(None, 1)[0] if header[1:].strip() else ""
    return name[:-2] if name.endswith(("/1", "/2")) else name


def align_pair(aligner, header, sample, first, second):
    """Two records, not yet linked. minimap2 sees both ends at once, so a clear mate helps an unclear one."""
    primary = {}
    for hit in aligner.map(first[1], second[1]):
        # The first primary hit of an end is its best; more of them are parts of a split alignment.
        if hit.is_primary:
            primary.setdefault(hit.read_num, hit)
    return [to_record(header, sample, end, read, primary.get(end)) for end, read in ((1, first), (2, second))]


def to_record(header, sample, end, read, hit):
    name, bases, qualities = read
    record = pysam.AlignedSegment(header)
    record.query_name = name
    record.is_paired = True
    record.is_read1 = end == 1
    record.is_read2 = end == 2
    record.set_tag("RG", sample)
    if hit is None:
        record.is_unmapped = True
        record.mapping_quality = 0
        record.query_sequence = bases
    else:
        reverse = hit.strand < 0
        record.is_reverse = reverse
        record.reference_name = hit.ctg
        record.reference_start = hit.r_st
        record.mapping_quality = hit.mapq
        before, after = hit.q_st, len(bases) - hit.q_en
        if end == 2:
            # mappy turns the second end round to map it, and forgets to turn its place in the read back.
            before, after = after, before
        record.cigartuples = clip([(operation, length) for length, operation in hit.cigar], before, after, reverse)
        record.set_tag("NM", hit.NM)
        record.query_sequence = mappy.revcomp(bases) if reverse else bases
        qualities = qualities[::-1] if reverse else qualities
    record.query_qualities = pysam.qualitystring_to_array(qualities)
    return record


def clip(cigar, before, after, reverse):
    """A hit's start and end count along the read, its CIGAR along the reference."""
    left, right = (after, before) if reverse else (before, after)
    return ([(SOFT_CLIP, left)] if left else []) + cigar + ([(SOFT_CLIP, right)] if right else [])


def link_mates(first, second, max_insert):
    for record, mate in ((first, second), (second, first)):
        record.mate_is_unmapped = mate.is_unmapped
        record.mate_is_reverse = mate.is_reverse
        if record.is_unmapped and not mate.is_unmapped:
            # By the SAM specification it lies where its mate lies, so that sorting keeps them together.
            record.reference_id = mate.reference_id
            record.reference_start = mate.reference_start
    for record, mate in ((first, second), (second, first)):
        record.next_reference_id = mate.reference_id
        record.next_reference_start = mate.reference_start
    if first.is_unmapped or second.is_unmapped or first.reference_id != second.reference_id:
        return
    left, right = sorted((first, second), key=lambda record: (record.reference_start, record.is_reverse))
    length = max(first.reference_end, second.reference_end) - left.reference_start
    left.template_length = length
    right.template_length = -length
    forward, backward = (second, first) if first.is_reverse else (first, second)
    facing = first.is_reverse != second.is_reverse and forward.reference_start <= backward.reference_start
    first.is_proper_pair = second.is_proper_pair = facing and length <= max_insert


class Progress:
    """A line about each second, and one at the end."""

    def __init__(self, sample, size):
        self.sample, self.size = sample, size
        self.pairs = self.mapped = self.proper = 0
        self.began = self.said = time.monotonic()
        print(f"{sample}: aligning", flush=True)

    def add(self, records, position):
        self.pairs += 1
        self.mapped += sum(not record.is_unmapped for record in records)
        self.proper += records[0].is_proper_pair
        now = time.monotonic()
        if now - self.said >= 1:
            self.said = now
            print(f"{self.sample}: {100 * position // self.size} %, {self.pairs:,} pairs", flush=True)

    def end(self):
        seconds = time.monotonic() - self.began
        mapped, proper = 50 * self.mapped / self.pairs, 100 * self.proper / self.pairs
        print(
            f"{self.sample}: {self.pairs:,} pairs in {seconds:.1f} s, "
            f"{mapped:.2f} % of reads mapped, {proper:.2f} % of pairs proper",
            flush=True,
        )


if __name__ == "__main__":
    main()
