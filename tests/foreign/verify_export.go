// Command verify_export checks an exported audit log with Go's own libraries for transparency logs, golang.org/x/mod/sumdb,
// and nothing else: what is verified here was verified by a program that knows nothing of Foureyes.
//
//	verify_export KEY FOLDER [ENTRY.tlog-proof ENTRY.json]...
//
// KEY is the verifier key of the log as somebody told it who did not make the export. Exit code 1 names the first fault.
package main

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8 // 256 hashes a tile, as C2SP's tlog-tiles has it

// checkpoint is what somebody signed: the first N entries have this hash.
type checkpoint struct {
	origin string
	tlog.Tree
}

// folder reads the tiles of an export.
type folder string

func (folder) Height() int                        { return height }
func (folder) SaveTiles([]tlog.Tile, [][]byte)    {}
func (f folder) file(name string) ([]byte, error) { return os.ReadFile(filepath.Join(string(f), name)) }

func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, tile := range tiles {
		data, err := f.file(path(tile, strconv.Itoa(tile.L)))
		if err != nil {
			return nil, err
		}
		found = append(found, data)
	}
	return found, nil
}

// path names a tile; Go's own path has the height in it, which C2SP leaves out.
func path(tile tlog.Tile, level string) string {
	rest := strings.SplitN(tile.Path(), "/", 4)[3]
	return "tile/" + level + "/" + rest
}

// entries reads a bundle: each entry stands behind its length, two bytes, the high one first.
func (f folder) entries(tile tlog.Tile) ([][]byte, error) {
	data, err := f.file(path(tile, "entries"))
	if err != nil {
		return nil, err
	}
	var found [][]byte
	for len(data) > 0 {
		if len(data) < 2 || len(data) < 2+(int(data[0])<<8|int(data[1])) {
			return nil, errors.New("the last entry of a bundle is cut off")
		}
		end := 2 + (int(data[0])<<8 | int(data[1]))
		found = append(found, data[2:end])
		data = data[end:]
	}
	return found, nil
}

// opened checks the signature of a note and reads it as a checkpoint.
func opened(message []byte, verifier note.Verifier) (checkpoint, error) {
	signed, err := note.Open(message, note.VerifierList(verifier))
	if err != nil {
		return checkpoint{}, err
	}
	lines := strings.Split(signed.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		return checkpoint{}, errors.New("this is no checkpoint of the log that the key is for")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return checkpoint{}, err
	}
	hash, err := tlog.ParseHash(lines[2])
	return checkpoint{lines[0], tlog.Tree{N: size, Hash: hash}}, err
}

// checkEntries builds the tree again from the entries alone, and holds the signed hash and every tile against it.
//
// That a tile reader would do the same is not relied on: the one of x/mod 0.7 leaves some full tiles unchecked.
func checkEntries(f folder, tree tlog.Tree) (tlog.HashReader, error) {
	var stored []tlog.Hash
	computed := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		found := make([]tlog.Hash, len(indexes))
		for at, index := range indexes {
			found[at] = stored[index]
		}
		return found, nil
	})
	for _, tile := range tilesOf(tree.N) {
		if tile.L > 0 {
			break
		}
		first := tile.N << height
		bodies, err := f.entries(tile)
		if err != nil {
			return nil, err
		}
		if len(bodies) != tile.W {
			return nil, fmt.Errorf("%d entries from %d on, and %d belong there", len(bodies), first, tile.W)
		}
		for at, body := range bodies {
			hashes, err := tlog.StoredHashes(first+int64(at), body, computed)
			if err != nil {
				return nil, err
			}
			stored = append(stored, hashes...)
		}
	}
	for _, tile := range tilesOf(tree.N) {
		wanted, err := tlog.ReadTileData(tile, computed)
		if err != nil {
			return nil, err
		}
		data, err := f.file(path(tile, strconv.Itoa(tile.L)))
		if err != nil {
			return nil, err
		}
		if !bytes.Equal(data, wanted) {
			return nil, fmt.Errorf("%s is not what the entries come to", path(tile, strconv.Itoa(tile.L)))
		}
	}
	hash, err := tlog.TreeHash(tree.N, computed)
	if err != nil {
		return nil, err
	}
	if hash != tree.Hash {
		return nil, errors.New("the entries do not come to the hash that was signed")
	}
	return computed, nil
}

// tilesOf lists the tiles of a tree: on each level the full ones, and what is left.
func tilesOf(size int64) []tlog.Tile {
	var found []tlog.Tile
	for level := 0; size > 0; level++ {
		for first := int64(0); first < size; first += 1 << height {
			tile := tlog.Tile{H: height, L: level, N: first >> height, W: 1 << height}
			if left := size - first; left < int64(tile.W) {
				tile.W = int(left)
			}
			found = append(found, tile)
		}
		size >>= height
	}
	return found
}

// checkTiles proves single entries from the tiles alone, as somebody does who fetches only what he needs.
func checkTiles(tree tlog.Tree, tiles, computed tlog.HashReader) error {
	for index := int64(0); index < tree.N; index += 97 {
		known, err := computed.ReadHashes([]int64{tlog.StoredHashIndex(0, index)})
		if err != nil {
			return err
		}
		proof, err := tlog.ProveRecord(tree.N, index, tiles)
		if err == nil {
			err = tlog.CheckRecord(proof, tree.N, tree.Hash, index, known[0])
		}
		if err != nil {
			return fmt.Errorf("entry %d: %w", index, err)
		}
	}
	return nil
}

// checkOlder proves that the log of each older checkpoint begins this one; it gives how many there are.
func checkOlder(f folder, tree tlog.Tree, hashes tlog.HashReader, verifier note.Verifier) (int, error) {
	data, err := f.file("checkpoints")
	if err != nil {
		return 0, err
	}
	// A note ends with its signatures; what follows after an empty line is the next one.
	count := 0
	for rest := data; len(rest) > 0; count++ {
		text := bytes.Index(rest, []byte("\n\n"))
		if text < 0 {
			return count, errors.New("the older checkpoints end in something else")
		}
		message := rest
		if end := bytes.Index(rest[text+2:], []byte("\n\n")); end >= 0 {
			message = rest[:text+2+end+1]
			rest = rest[len(message)+1:]
		} else {
			rest = nil
		}
		older, err := opened(message, verifier)
		if err != nil {
			return count, fmt.Errorf("older checkpoint %d: %w", count, err)
		}
		proof, err := tlog.ProveTree(tree.N, older.N, hashes)
		if err == nil {
			err = tlog.CheckTree(proof, tree.N, tree.Hash, older.N, older.Hash)
		}
		if err != nil {
			return count, fmt.Errorf("the checkpoint of %d entries: %w", older.N, err)
		}
	}
	return count, nil
}

// checkProof checks one entry against a C2SP tlog-proof, with no export at all.
func checkProof(proofFile, entryFile string, verifier note.Verifier) error {
	proof, err := os.ReadFile(proofFile)
	if err != nil {
		return err
	}
	body, err := os.ReadFile(entryFile)
	if err != nil {
		return err
	}
	head, message, _ := strings.Cut(string(proof), "\n\n")
	lines := strings.Split(head, "\n")
	if len(lines) < 2 || lines[0] != "c2sp.org/tlog-proof@v1" || !strings.HasPrefix(lines[1], "index ") {
		return errors.New("this is no tlog-proof")
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64)
	if err != nil {
		return err
	}
	var path tlog.RecordProof
	for _, line := range lines[2:] {
		var hash tlog.Hash
		data, err := base64.StdEncoding.DecodeString(line)
		if err != nil || copy(hash[:], data) != len(hash) || len(data) != len(hash) {
			return errors.New("a line of the proof is no hash")
		}
		path = append(path, hash)
	}
	found, err := opened([]byte(message), verifier)
	if err != nil {
		return err
	}
	return tlog.CheckRecord(path, found.N, found.Hash, index, tlog.RecordHash(body))
}

func run(key string, f folder, proofs []string) error {
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return err
	}
	message, err := f.file("checkpoint")
	if err != nil {
		return err
	}
	found, err := opened(message, verifier)
	if err != nil {
		return fmt.Errorf("the checkpoint: %w", err)
	}
	computed, err := checkEntries(f, found.Tree)
	if err != nil {
		return err
	}
	tiles := tlog.TileHashReader(found.Tree, f)
	if err := checkTiles(found.Tree, tiles, computed); err != nil {
		return err
	}
	older, err := checkOlder(f, found.Tree, tiles, verifier)
	if err != nil {
		return err
	}
	for at := 0; at+1 < len(proofs); at += 2 {
		if err := checkProof(proofs[at], proofs[at+1], verifier); err != nil {
			return fmt.Errorf("%s: %w", proofs[at], err)
		}
	}
	fmt.Printf("%d entries of %s, %d older checkpoints, %d proofs: whole\n", found.N, found.origin, older, len(proofs)/2)
	return nil
}

func main() {
	if len(os.Args) < 3 || len(os.Args)%2 == 0 {
		fmt.Fprintln(os.Stderr, "verify_export KEY FOLDER [ENTRY.tlog-proof ENTRY.json]...")
		os.Exit(2)
	}
	if err := run(os.Args[1], folder(os.Args[2]), os.Args[3:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
