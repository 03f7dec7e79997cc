"""One sentence for each name of the language, and the page that says more.

Shown when the pointer rests on a name, and beside completions. The sentences are ours.
"""

from __future__ import annotations

_SPEC = "https://states-language.net/spec.html"
_GUIDE = "https://docs.aws.amazon.com/step-functions/latest/dg"

STATE_TYPES = {
    "Task": "Calls a service, a Lambda function or an activity, and waits for its result.",
    "Pass": "Passes its input on, or puts a fixed or computed value in its place.",
    "Choice": "Goes on with the first rule that holds, else with Default.",
    "Wait": "Waits some seconds, or until a moment.",
    "Succeed": "Ends its scope; the execution succeeds where the scope is the whole machine.",
    "Fail": "Ends the execution as failed, with Error and Cause.",
    "Parallel": "Runs its branches side by side; the result is the array of their outputs.",
    "Map": "Runs its processor for each item; the result is the array of their outputs.",
}

FIELDS = {
    "Type": "Which kind of state this is: Task, Pass, Choice, Wait, Succeed, Fail, Parallel, Map.",
    "Comment": "A remark for readers; no effect.",
    "StartAt": "The name of the first state of this scope.",
    "States": "The states of this scope by name. A name occurs once in the whole machine.",
    "Version": "The version of the language: 1.0.",
    "QueryLanguage": "JSONPath (the default) or JSONata, for the machine or for one state.",
    "Next": "The state that follows.",
    "End": "true: the scope ends with this state.",
    "Default": "The state that follows when no rule holds; without it States.NoChoiceMatched.",
    "InputPath": "Which part of the input this state sees; null gives it {}.",
    "OutputPath": "Which part of what the state has at the end is its output; null gives {}.",
    "ResultPath": "Where in the input the result is put; null drops the result.",
    "Parameters": "The input of the state's work. A name that ends in .$ takes a path or a call.",
    "ResultSelector": "Makes a new result from the result, before ResultPath.",
    "Result": "The fixed result of a Pass.",
    "Arguments": "The input of the state's work; texts written {% … %} are JSONata.",
    "Output": "The output of the state; texts written {% … %} are JSONata.",
    "Assign": "Variables for the states that follow: name and value.",
    "Resource": "The ARN of what a Task calls, or what a reader or writer uses.",
    "Credentials": "The role that the Task uses, as RoleArn.",
    "TimeoutSeconds": "Seconds until the work fails with States.Timeout.",
    "TimeoutSecondsPath": "As TimeoutSeconds, from the data.",
    "HeartbeatSeconds": "Seconds between two heartbeats; fewer than TimeoutSeconds.",
    "HeartbeatSecondsPath": "As HeartbeatSeconds, from the data.",
    "Retry": "What is tried again: the first retrier that names the error decides.",
    "Catch": "Where an error leads when no retry is left: the first catcher that names it.",
    "ErrorEquals": "Names of errors; States.ALL alone and in the last entry.",
    "IntervalSeconds": "Seconds before the first retry; 1 when left out.",
    "MaxAttempts": "Retries; 3 when left out, 0 for none.",
    "BackoffRate": "By how much each interval is longer than the one before; 2.0 when left out.",
    "MaxDelaySeconds": "The longest interval.",
    "JitterStrategy": "FULL: a random part of each interval; NONE: all of it.",
    "Choices": "The rules, in order.",
    "Variable": "The path of the value that is compared.",
    "And": "Holds when all of these rules hold.",
    "Or": "Holds when one of these rules holds.",
    "Not": "Holds when this rule does not.",
    "Condition": "A JSONata expression that is true or false.",
    "Seconds": "How long to wait.",
    "SecondsPath": "How long to wait, from the data.",
    "Timestamp": "Until when to wait, as 2025-01-31T09:00:00Z.",
    "TimestampPath": "Until when to wait, from the data.",
    "Error": "The error's name.",
    "ErrorPath": "The error's name, from the data.",
    "Cause": "What went wrong, for people.",
    "CausePath": "What went wrong, from the data.",
    "Branches": "Scopes that run side by side, each with its StartAt and States.",
    "ItemProcessor": "The scope that runs for each item.",
    "Iterator": "The scope that runs for each item, as older definitions call it.",
    "ProcessorConfig": "Whether the items run inside this execution or as executions of their own.",
    "Mode": "INLINE: inside this execution, 40 at a time; DISTRIBUTED: as executions of their own.",
    "ExecutionType": "The type of a distributed Map's child executions.",
    "ItemsPath": "Where the array of items is in the input.",
    "Items": "The items: an array, or an expression that gives one.",
    "ItemSelector": "The input of each iteration; $$.Map.Item.Value is the item.",
    "ItemReader": "Reads the items of a distributed Map from S3.",
    "ItemBatcher": "Gives each child of a distributed Map several items.",
    "ResultWriter": "Writes the results of a distributed Map to S3.",
    "ReaderConfig": "The format of what is read.",
    "WriterConfig": "The format of what is written.",
    "InputType": "The format of the file with the items.",
    "CSVHeaderLocation": "FIRST_ROW: names in the file; GIVEN: names in CSVHeaders.",
    "CSVHeaders": "The names of the columns.",
    "CSVDelimiter": "What stands between columns.",
    "MaxItems": "How many items are read at most.",
    "ItemsPointer": "A JSON Pointer to the array in the file.",
    "Transformation": "What is done with each result before it is written, or to each file read.",
    "OutputType": "JSON or JSONL.",
    "MaxItemsPerBatch": "Items of a batch at most.",
    "MaxInputBytesPerBatch": "Bytes of a batch at most.",
    "BatchInput": "What each batch is given beside its items.",
    "MaxConcurrency": "Iterations at one time; 0 for as many as there can be.",
    "MaxConcurrencyPath": "As MaxConcurrency, from the data.",
    "ToleratedFailurePercentage": "The percentage of items that may fail.",
    "ToleratedFailureCount": "The number of items that may fail.",
    "Label": "A name for the map runs of this state, up to 40 characters.",
}

ERRORS = {
    "States.ALL": "Every error but States.DataLimitExceeded and States.Runtime.",
    "States.TaskFailed": "Every error of a Task but States.Timeout.",
    "States.Timeout": "The work took longer than TimeoutSeconds, or a heartbeat was late.",
    "States.HeartbeatTimeout": "No heartbeat came within HeartbeatSeconds.",
    "States.Permissions": "The role may not do what the Task asks for.",
    "States.BranchFailed": "A branch of a Parallel failed.",
    "States.NoChoiceMatched": "No rule of a Choice held, and there is no Default.",
    "States.ParameterPathFailure": "A path in Parameters finds nothing.",
    "States.ResultPathMatchFailure": "ResultPath can't be applied to the input.",
    "States.IntrinsicFailure": "An intrinsic function failed.",
    "States.ExceedToleratedFailureThreshold": "More items failed than the Map tolerates.",
    "States.ItemReaderFailed": "The items can't be read.",
    "States.ResultWriterFailed": "The results can't be written.",
    "States.QueryEvaluationError": "A JSONata expression failed.",
    "States.DataLimitExceeded": "A payload is too large; States.ALL does not take it.",
    "States.Runtime": "The execution can't go on; neither Retry nor Catch takes it.",
    "Lambda.ServiceException": "Lambda could not run the function: worth a retry.",
    "Lambda.AWSLambdaException": "Lambda had a fault of its own: worth a retry.",
    "Lambda.SdkClientException": "Lambda could not be reached: worth a retry.",
    "Lambda.TooManyRequestsException": "Too many calls at a time: worth a retry with back-off.",
    "Lambda.Unknown": "The function ended without saying why, for example out of memory.",
}

STATES_VARIABLE = {
    "input": "The state's input.",
    "result": "The result of the state's work, in Output and Assign.",
    "errorOutput": "Error and Cause, in a catcher's Output and Assign.",
    "context": "The context object: execution, state machine, state, task, item.",
}


def page_of(name: str, table: str = "") -> str:
    """Return the page that says more about a field, or about what one of `table` is."""
    if name in STATE_TYPES:
        return f"{_SPEC}#{name.lower()}-state"
    if name in ERRORS or table in ("Retrier", "Catcher"):
        return f"{_GUIDE}/concepts-error-handling.html"
    if name.startswith("States."):
        return f"{_GUIDE}/intrinsic-functions.html"
    if name.startswith("$"):
        return f"{_GUIDE}/transforming-data.html"
    if table in ("ReaderConfig", "ItemReader"):
        return f"{_GUIDE}/input-output-itemreader.html"
    if table in ("WriterConfig", "ResultWriter"):
        return f"{_GUIDE}/input-output-resultwriter.html"
    if table == "ItemBatcher":
        return f"{_GUIDE}/input-output-itembatcher.html"
    if table in ("Map", "Processor", "ProcessorConfig"):
        return f"{_GUIDE}/state-map.html"
    return f"{_SPEC}#state-type-table"
