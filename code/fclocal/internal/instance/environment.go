package instance

import (
	"strconv"

	"fclocal/internal/config"
)

// addressVariable is undocumented, and read by the SDK. What the function starts
// usually inherits it: its value is a secret of the instance, so it tells whose
// process one is.
const addressVariable = "FC_RUNTIME_API="

// environment is all that the function finds in its environment: what FC documents,
// then s.yaml's environmentVariables; nothing of this machine's.
// Credentials of the role exist on FC only: they are there, and empty unless the project has some.
//
// A function of a custom runtime also finds the programs of this machine, by PATH: its
// interpreter is not where FC has it. What s.yaml says of /code is said of codeUri.
func environment(spec Spec, link []string) []string {
	p := spec.Project
	variables := []string{
		"FC_FUNC_CODE_PATH=" + spec.CodeDir,
		"ALIBABA_CLOUD_ACCESS_KEY_ID=" + string(p.Credentials.AccessKeyID),
		"ALIBABA_CLOUD_ACCESS_KEY_SECRET=" + string(p.Credentials.AccessKeySecret),
		"ALIBABA_CLOUD_SECURITY_TOKEN=" + string(p.Credentials.SecurityToken),
		"FC_ACCOUNT_ID=" + p.Service.AccountID(),
		"FC_FUNCTION_HANDLER=" + p.Function.Handler,
		"FC_FUNCTION_MEMORY_SIZE=" + strconv.Itoa(p.Function.MemorySize),
		"FC_FUNCTION_NAME=" + p.Function.Name,
		"FC_REGION=" + p.Region,
		"FC_INSTANCE_ID=" + spec.ID,
	}
	variables = append(append(variables, link...), p.Variables...)
	custom := p.Function.IsCustom()
	for name, value := range p.Function.EnvironmentVariables {
		if custom {
			value = p.Here(value)
		}
		variables = append(variables, name+"="+value)
	}
	if custom {
		variables = append(variables, "PATH="+p.SearchPath()) // the last one counts
	}
	if spec.Race != nil {
		variables = append(variables, spec.Race.Variables(p.Function.EnvironmentVariables)...)
	}
	return variables
}

func qualifier(p *config.Project) string {
	if p.Trigger != nil && p.Trigger.Qualifier != "" {
		return p.Trigger.Qualifier
	}
	return "LATEST"
}
