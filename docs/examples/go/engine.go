// Books every fill of an account exactly once: go run . nats://127.0.0.1:4222 rYourAccount fills.jsonl
//
// The books are lines of JSON. A line is on the disk before its event is acknowledged, and an event whose id is in the
// books is not booked again; what a crash has left of a line is cut off at the start.
//
// order_filled.go is made from the published schema:
//
//go:generate go run github.com/atombender/go-jsonschema@v0.24.1 -p main --tags json --only-models -o order_filled.go ../../../shared/order_events/schemas/order.filled.json
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/url"
	"os"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	domain       = "fillproof"
	knownVersion = 1
)

// Fill is a line of the books: amounts stay the decimals in strings that they are, drops of XRP or decimal tokens.
type Fill struct {
	EventId         string `json:"event_id"`
	Sequence        int    `json:"sequence"`
	Gave            Amount `json:"gave"`
	Got             Amount `json:"got"`
	TransactionHash any    `json:"transaction_hash"`
}

// Books are an open file and the ids of the events in it.
type Books struct {
	file *os.File
	ids  map[string]bool
}

func openBooks(path string) (*Books, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	whole := text[:bytes.LastIndexByte(text, '\n')+1]
	if err := file.Truncate(int64(len(whole))); err != nil {
		return nil, err
	}
	if _, err := file.Seek(0, 2); err != nil {
		return nil, err
	}
	books := &Books{file: file, ids: map[string]bool{}}
	for _, line := range bytes.Split(bytes.TrimSpace(whole), []byte("\n")) {
		var fill Fill
		if len(line) > 0 {
			if err := json.Unmarshal(line, &fill); err != nil {
				return nil, err
			}
			books.ids[fill.EventId] = true
		}
	}
	return books, nil
}

// book writes down a trade; everything else is of no concern to these books.
func (books *Books) book(payload []byte) error {
	var event OrderFilled
	if err := json.Unmarshal(payload, &struct {
		EventType *OrderFilledEventType `json:"event_type"`
	}{&event.EventType}); err != nil {
		return err
	}
	if event.EventType != "order.filled" {
		return nil
	}
	if err := json.Unmarshal(payload, &event); err != nil {
		return err
	}
	if event.Version != knownVersion {
		return fmt.Errorf("expected version %d of order.filled, found %d: update this engine first", knownVersion, event.Version)
	}
	if event.Provenance == "presumed" || books.ids[event.EventId] { // a guess is no fill
		return nil
	}
	line, err := json.Marshal(Fill{event.EventId, event.Sequence, event.Gave, event.Got, event.TransactionHash})
	if err != nil {
		return err
	}
	if _, err := books.file.Write(append(line, '\n')); err != nil {
		return err
	}
	books.ids[event.EventId] = true
	return books.file.Sync()
}

// ownConsumer binds to the consumer that a deployment has made; a bus without users lets the engine make it.
func ownConsumer(ctx context.Context, bus jetstream.JetStream, engine, account string) (jetstream.Consumer, error) {
	durable := engine + "-" + account
	consumer, err := bus.Consumer(ctx, "ORDERS", durable)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		return bus.CreateConsumer(ctx, "ORDERS", jetstream.ConsumerConfig{
			Durable:       durable,
			FilterSubject: "*.*." + account,
			AckPolicy:     jetstream.AckExplicitPolicy,
			AckWait:       5 * time.Second,
		})
	}
	return consumer, err
}

func follow(address, account, path string) error {
	books, err := openBooks(path)
	if err != nil {
		return err
	}
	parsed, err := url.Parse(address)
	if err != nil {
		return err
	}
	engine := parsed.User.Username()
	if engine == "" {
		engine = "engine"
	}
	client, err := nats.Connect(address, nats.MaxReconnects(-1))
	if err != nil {
		return err
	}
	defer client.Close()
	bus, err := jetstream.NewWithDomain(client, domain)
	if err != nil {
		return err
	}
	consumer, err := ownConsumer(context.Background(), bus, engine, account)
	if err != nil {
		return err
	}
	messages, err := consumer.Messages()
	if err != nil {
		return err
	}
	for {
		message, err := messages.Next()
		if err != nil {
			return err
		}
		if err := books.book(message.Data()); err != nil {
			return err
		}
		if err := message.Ack(); err != nil {
			return err
		}
	}
}

func main() {
	if len(os.Args) != 4 {
		log.Fatal("expected NATS_URL ACCOUNT BOOKS")
	}
	log.Fatal(follow(os.Args[1], os.Args[2], os.Args[3]))
}
