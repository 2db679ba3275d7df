package invocationapi

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"fclocal/internal/config"
)

// splitQualifier splits SERVICE.QUALIFIER, as FC 2.0 names a version or an alias. A
// service's name has no dot.
func splitQualifier(service string) (name, qualifier string) {
	name, qualifier, _ = strings.Cut(service, ".")
	return name, qualifier
}

func notFound(code, format string, arguments ...any) error {
	return apiError{http.StatusNotFound, code, fmt.Sprintf(format, arguments...)}
}

// find2 says whether FC 2.0's names are the project's.
func (s *service) find2(service, qualifier, function string) error {
	p := s.Project
	switch {
	case service != p.Service.Name || service == "":
		return notFound("ServiceNotFound", "service '%s' does not exist", service)
	case function != p.Function.Name:
		return notFound("FunctionNotFound", "function '%s' does not exist in service '%s'", function, service)
	case !s.hasQualifier(qualifier):
		if _, err := strconv.Atoi(qualifier); err == nil {
			return notFound("VersionNotFound", "version '%s' of service '%s' does not exist", qualifier, service)
		}
		return notFound("AliasNotFound", "alias '%s' of service '%s' does not exist", qualifier, service)
	}
	return nil
}

// find3 says whether FC 3.0's names are. A function of FC 2.0 is SERVICE$FUNCTION there.
func (s *service) find3(function, qualifier string) error {
	p := s.Project
	switch {
	case function != p.Function.Name && (p.Service.Name == "" || function != p.Service.Name+"$"+p.Function.Name):
		return notFound("FunctionNotFound", "function '%s' does not exist", function)
	case !s.hasQualifier(qualifier):
		if _, err := strconv.Atoi(qualifier); err == nil {
			return notFound("VersionNotFound", "version '%s' of function '%s' does not exist", qualifier, function)
		}
		return notFound("AliasNotFound", "alias '%s' of function '%s' does not exist", qualifier, function)
	}
	return nil
}

// hasQualifier says whether there is such a version or alias: LATEST, and that which the
// trigger calls. There is one code for all.
func (s *service) hasQualifier(qualifier string) bool {
	return qualifier == "" || qualifier == "LATEST" || s.Project.Trigger != nil && qualifier == s.Project.Trigger.Qualifier
}

// Paths are those at which a project's function is called.
func Paths(p *config.Project) []string {
	paths := []string{"/2023-03-30/functions/" + p.Function.Name + "/invocations"}
	if p.Service.Name != "" {
		paths = append(paths, "/2016-08-15/services/"+p.Service.Name+"/functions/"+p.Function.Name+"/invocations")
	}
	return paths
}
