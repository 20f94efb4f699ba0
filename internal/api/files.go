package api

import (
	"archive/zip"
	"bytes"
	"context"
	"io"
	"io/fs"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"countersign/kiosk"
)

// file is an answer of bytes.
type file struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

type pageOf struct {
	Authed
	Key  string `path:"key"`
	Page int    `path:"page" minimum:"1"`
}

type fieldFile struct {
	Authed
	Key   string `path:"key"`
	Field string `path:"field"`
}

type fieldUpload struct {
	Authed
	Key     string `path:"key"`
	Field   string `path:"field"`
	Name    string `query:"name" required:"true" maxLength:"255" doc:"the file's own name"`
	Base    string `query:"base" maxLength:"64" doc:"SHA-256 of the file that the clerk saw in the field; nothing when it was empty"`
	RawBody []byte `contentType:"application/octet-stream"`
}

type upload struct {
	Authed
	Key     string `path:"key"`
	RawBody []byte `contentType:"application/octet-stream"`
}

// bytesOf registers an answer of bytes for a clerk.
func bytesOf[I tokened](s *Server, api huma.API, path, id, summary, contentType string, right kiosk.Right, do func(context.Context, kiosk.Actor, I) ([]byte, error)) {
	op := huma.Operation{OperationID: id, Method: http.MethodGet, Path: path, Summary: summary, Security: []map[string][]string{{"session": {}}},
		Metadata:  map[string]any{"right": right},
		Responses: map[string]*huma.Response{"200": {Description: summary, Content: map[string]*huma.MediaType{contentType: {}}}}}
	huma.Register(api, op, func(ctx context.Context, in *I) (*file, error) {
		a, err := s.Hall.Actor(ctx, (*in).token())
		if err == nil {
			err = a.May(right)
		}
		if err != nil {
			return nil, s.problem(id, err)
		}
		data, err := do(ctx, a, *in)
		if err != nil {
			return nil, s.problem(id, err)
		}
		return &file{ContentType: contentType, Body: data}, nil
	})
}

func (s *Server) fileRoutes(api huma.API) {
	bytesOf(s, api, "/v1/orders/{key}/document", "document", "The newest file of an order", "application/pdf", kiosk.RightLook, func(ctx context.Context, a kiosk.Actor, in order) ([]byte, error) {
		return s.Hall.File(ctx, a, in.Key)
	})
	bytesOf(s, api, "/v1/orders/{key}/document/last-good", "last-good", "The newest copy of an order's file that still holds, where the stored one was damaged", "application/pdf", kiosk.RightLook, func(ctx context.Context, a kiosk.Actor, in order) ([]byte, error) {
		data, _, err := s.Hall.LastGood(ctx, a, in.Key)
		return data, err
	})
	bytesOf(s, api, "/v1/orders/{key}/portrait", "portrait", "The picture of an order", "image/jpeg", kiosk.RightServe, func(ctx context.Context, a kiosk.Actor, in order) ([]byte, error) {
		return s.Hall.PortraitImage(ctx, a, in.Key)
	})
	bytesOf(s, api, "/v1/catalog", "catalog", "The service files that are in force, as a zip archive", "application/zip", kiosk.RightServe, func(context.Context, kiosk.Actor, empty) ([]byte, error) {
		return s.catalogZip()
	})
	clerk(s, api, http.MethodPut, "/v1/orders/{key}/portrait", "take-portrait", "Take a picture: JPEG or PNG bytes", kiosk.RightServe, func(ctx context.Context, a kiosk.Actor, in upload) (kiosk.OrderView, error) {
		o, err := s.Hall.TakePortrait(ctx, a, in.Key, in.RawBody)
		if err != nil {
			return kiosk.OrderView{}, err
		}
		return s.Hall.Changed(ctx, a, o)
	})
	bytesOf(s, api, "/v1/orders/{key}/files/{field}", "field-file", "The file that a field of the form holds", "application/octet-stream", kiosk.RightServe, func(ctx context.Context, a kiosk.Actor, in fieldFile) ([]byte, error) {
		return s.Hall.FieldFile(ctx, a, in.Key, in.Field)
	})
	clerk(s, api, http.MethodPut, "/v1/orders/{key}/files/{field}", "set-file", "Save a file in a field: PDF, JPEG or PNG bytes, 8 MB at most", kiosk.RightServe, func(ctx context.Context, a kiosk.Actor, in fieldUpload) (kiosk.OrderView, error) {
		o, err := s.Hall.SetFile(ctx, a, in.Key, in.Field, in.Base, in.Name, in.RawBody)
		return s.changed(ctx, a, o, err)
	})
	clerk(s, api, http.MethodGet, "/v1/orders/{key}/pages/{page}", "page", "A page of the text that the customer reads", kiosk.RightServe, func(ctx context.Context, a kiosk.Actor, in pageOf) ([]string, error) {
		lines, err := s.Hall.Reading(ctx, a, in.Key, in.Page)
		out := []string{}
		for _, l := range lines {
			out = append(out, l.Text)
		}
		return out, err
	})
}

func (s *Server) displayPortrait(api huma.API) {
	op := huma.Operation{OperationID: "display-portrait", Method: http.MethodGet, Path: "/v1/display/portrait/{key}", Summary: "The picture for the customer to look at",
		Security:  []map[string][]string{{"display": {}}},
		Responses: map[string]*huma.Response{"200": {Description: "the picture", Content: map[string]*huma.MediaType{"image/jpeg": {}}}}}
	huma.Register(api, op, func(ctx context.Context, in *order) (*file, error) {
		a, err := s.Hall.DisplayActor(ctx, in.token())
		if err != nil {
			return nil, s.problem("display-portrait", err)
		}
		data, err := s.Hall.PortraitImage(ctx, a, a.Order)
		if err != nil {
			return nil, s.problem("display-portrait", err)
		}
		return &file{ContentType: "image/jpeg", Body: data}, nil
	})
}

// catalogZip packs the service files, so that a terminal reads them with the same code as the service.
func (s *Server) catalogZip() ([]byte, error) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for prefix, dir := range map[string]fs.FS{builtinDir: s.Services, ownDir: s.Own} {
		if dir == nil {
			continue
		}
		err := fs.WalkDir(dir, ".", func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(name, ".yaml") {
				return err
			}
			data, err := fs.ReadFile(dir, name)
			if err != nil {
				return err
			}
			w, err := z.Create(prefix + "/" + name)
			if err != nil {
				return err
			}
			_, err = io.Copy(w, bytes.NewReader(data))
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

const (
	builtinDir = "builtin"
	ownDir     = "own"
)
