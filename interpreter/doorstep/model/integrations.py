"""The optimized integrations: each service's actions, with their patterns and their parameters.

Actions and patterns are those of
https://docs.aws.amazon.com/step-functions/latest/dg/integrate-optimized.html and its pages; the
parameters those of the services' pages, else all that the API has (botocore 1.44), since the pages
do not name every one. What is required was measured on AWS for dynamodb, ecs, events, glue, lambda,
sns, sqs and states, and is the API's or the page's word for the others (fact 241).
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import Any, NamedTuple

from ..values.did_you_mean import closest
from .api_models import api_model, api_operation, has_api, sdk_name
from .resource import Integration

_PATTERNS = {"": "", "sync": "s", "sync:2": "2", "waitForTaskToken": "t"}
_NO_SDK = frozenset(("cloudsearchdomain", "iotjobsdataplane", "mediastoredata", "sts:assumeRole"))
"""Services with an endpoint for each user, and credentials: not of `aws-sdk:` (fact 147)."""
_ALTERNATIVES = {"Authentication": "InvocationConfig"}
"""Required parameters that another one may stand for: of http:invoke with a private API."""


class Action(NamedTuple):
    """An action of an optimized integration."""

    patterns: str
    """`s`: .sync; `2`: .sync:2; `t`: .waitForTaskToken; all have request and response."""
    parameters: frozenset[str]
    required: tuple[str, ...]
    opaque: frozenset[str]
    """Parameters that hold any JSON, or objects which no API describes."""

    def missing(self, names: AbstractSet[str]) -> list[str]:
        """Return the required parameters that are not among some names."""
        return [
            name
            for name in self.required
            if name not in names and _ALTERNATIVES.get(name) not in names
        ]


def action_of(called: Integration) -> Action | None:
    """Return what an optimized integration's action takes; None for others and unknown ones."""
    return actions().get(called.action)


def is_recognized(called: Integration) -> bool:
    """Return whether Step Functions has a service, its action and its pattern (fact 241).

    `aws-sdk:` integrations are held against botocore's models, when they are installed.
    """
    pattern = _PATTERNS.get(called.pattern)
    if pattern is None:
        return False
    action = called.resource.partition(".")[0]
    service = called.resource_type.removeprefix("aws-sdk:")
    if service == called.resource_type:
        optimized = action_of(called)
        return optimized is not None and pattern in optimized.patterns
    return (
        pattern in ("", "t")
        and action[:1].islower()
        and _NO_SDK.isdisjoint((service, f"{service}:{action}"))
        and sdk_name(service) == service
        and _has_action(service, action)
    )


def similar_action(called: Integration) -> str | None:
    """Return the SERVICE:ACTION that was probably meant by one that is not recognized."""
    service = called.resource_type
    plain = service.removeprefix("aws-sdk:")
    known = [*actions()]
    if service != plain:
        operations = api_model(plain).get("operations", {})
        service = f"aws-sdk:{sdk_name(plain)}"
        known = [f"{service}:{name[0].lower()}{name[1:]}" for name in operations]
        if service != called.resource_type and f"{service}:{called.resource}" in known:
            return f"{service}:{called.resource}"
    close = closest(called.action, known, 0.9)
    return close if close != called.action else None


def _has_action(service: str, action: str) -> bool:
    if not has_api(service):
        return False
    operation = api_operation(service, action)
    return not api_model(service) or (operation is not None and not _streams(service, operation))


def _streams(service: str, operation: Mapping[str, Any]) -> bool:
    """Return whether an operation is sent or answered by events, which `aws-sdk:` does not offer.

    Fact 147.
    """
    shapes = api_model(service)["shapes"]
    sides = (shapes[operation[side]["shape"]] for side in ("input", "output") if side in operation)
    members = (member["shape"] for side in sides for member in side["members"].values())
    return any(shapes[member].get("eventstream") for member in members)


@lru_cache(maxsize=1)
def actions() -> Mapping[str, Action]:
    """Return the table by SERVICE:ACTION, read when the first task of a service is looked at."""
    known = {}
    for line in _TABLE.replace("\n    ", " ").split("\n"):
        action, patterns, *words = line.split()
        names = {word.rstrip("!="): word for word in words}
        known[action] = Action(
            patterns.strip("-"),
            frozenset(names),
            tuple(name for name, word in names.items() if "!" in word),
            frozenset(name for name, word in names.items() if word.endswith("=")),
        )
    return known


# SERVICE:ACTION, the patterns or "-", the parameters; `!`: required, `=`: any JSON.
_TABLE = """\
apigateway:invoke t ApiEndpoint! Method! AllowNullValues AuthType Headers= Path QueryParameters=
    RequestBody= Stage
athena:getQueryExecution - QueryExecutionId!
athena:getQueryResults - QueryExecutionId! MaxResults NextToken QueryResultType
athena:startQueryExecution s QueryString! ClientRequestToken EngineConfiguration
    ExecutionParameters QueryExecutionContext ResultConfiguration ResultReuseConfiguration
    WorkGroup
athena:stopQueryExecution - QueryExecutionId!
batch:submitJob s JobName! JobQueue! JobDefinition! ArrayProperties
    ConsumableResourcePropertiesOverride ContainerOverrides DependsOn EcsPropertiesOverride
    EksPropertiesOverride NodeOverrides Parameters PropagateTags RetryStrategy
    SchedulingPriorityOverride ShareIdentifier Tags Timeout
bedrock:createModelCustomizationJob s BaseModelIdentifier! CustomModelName! JobName!
    OutputDataConfig! RoleArn! TrainingDataConfig! ClientRequestToken CustomModelKmsKeyId
    CustomModelTags CustomizationConfig CustomizationType HyperParameters JobTags
    ValidationDataConfig VpcConfig
bedrock:invokeModel t ModelId! Accept Body= ContentType GuardrailIdentifier GuardrailVersion
    Input= Output= PerformanceConfigLatency RequestMetadata= ServiceTier Trace
bedrockagentcore:invokeHarness - HarnessArn! ActorId AllowedTools Baggage MaxIterations
    MaxTokens Messages Model Qualifier RuntimeSessionId RuntimeUserId Skills SystemPrompt
    TimeoutSeconds Tools TraceId TraceParent TraceState
codebuild:batchDeleteBuilds - Ids!
codebuild:batchGetReports - ReportArns!
codebuild:deleteBuildBatch - Id!
codebuild:retryBuild s Id IdempotencyToken
codebuild:retryBuildBatch s Id IdempotencyToken RetryType
codebuild:startBuild s ProjectName! ArtifactsOverride AutoRetryLimitOverride
    BuildStatusConfigOverride BuildspecOverride CacheOverride CertificateOverride
    ComputeTypeOverride DebugSessionEnabled EncryptionKeyOverride EnvironmentTypeOverride
    EnvironmentVariablesOverride FleetOverride GitCloneDepthOverride GitSubmodulesConfigOverride
    HostKernelOverride IdempotencyToken ImageOverride ImagePullCredentialsTypeOverride
    InsecureSslOverride LogsConfigOverride PrivilegedModeOverride QueuedTimeoutInMinutesOverride
    RegistryCredentialOverride ReportBuildStatusOverride SecondaryArtifactsOverride
    SecondarySourcesOverride SecondarySourcesVersionOverride ServiceRoleOverride
    SourceAuthOverride SourceLocationOverride SourceTypeOverride SourceVersion
    TimeoutInMinutesOverride
codebuild:startBuildBatch s ProjectName! ArtifactsOverride BuildBatchConfigOverride
    BuildTimeoutInMinutesOverride BuildspecOverride CacheOverride CertificateOverride
    ComputeTypeOverride DebugSessionEnabled EncryptionKeyOverride EnvironmentTypeOverride
    EnvironmentVariablesOverride GitCloneDepthOverride GitSubmodulesConfigOverride
    IdempotencyToken ImageOverride ImagePullCredentialsTypeOverride InsecureSslOverride
    LogsConfigOverride PrivilegedModeOverride QueuedTimeoutInMinutesOverride
    RegistryCredentialOverride ReportBuildBatchStatusOverride SecondaryArtifactsOverride
    SecondarySourcesOverride SecondarySourcesVersionOverride ServiceRoleOverride
    SourceAuthOverride SourceLocationOverride SourceTypeOverride SourceVersion
codebuild:stopBuild - Id!
codebuild:stopBuildBatch - Id!
databrew:startJobRun s Name!
dynamodb:deleteItem - TableName! Key! ConditionExpression ConditionalOperator Expected
    ExpressionAttributeNames ExpressionAttributeValues ReturnConsumedCapacity
    ReturnItemCollectionMetrics ReturnValues ReturnValuesOnConditionCheckFailure
dynamodb:getItem - TableName! Key! AttributesToGet ConsistentRead ExpressionAttributeNames
    ProjectionExpression ReturnConsumedCapacity
dynamodb:putItem - TableName! Item! ConditionExpression ConditionalOperator Expected
    ExpressionAttributeNames ExpressionAttributeValues ReturnConsumedCapacity
    ReturnItemCollectionMetrics ReturnValues ReturnValuesOnConditionCheckFailure
dynamodb:updateItem - TableName! Key! AttributeUpdates ConditionExpression ConditionalOperator
    Expected ExpressionAttributeNames ExpressionAttributeValues ReturnConsumedCapacity
    ReturnItemCollectionMetrics ReturnValues ReturnValuesOnConditionCheckFailure
    UpdateExpression
ecs:runTask st TaskDefinition! CapacityProviderStrategy ClientToken Cluster Count
    EnableECSManagedTags EnableExecuteCommand Group LaunchType NetworkConfiguration Overrides
    PlacementConstraints PlacementStrategy PlatformVersion PropagateTags ReferenceId StartedBy
    Tags VolumeConfigurations
eks:call - CertificateAuthority! ClusterName! Endpoint! Method! Path! Headers= QueryParameters=
    RequestBody=
eks:createCluster s Name! ResourcesVpcConfig! RoleArn! AccessConfig BootstrapSelfManagedAddons
    ClientRequestToken ComputeConfig ControlPlaneScalingConfig DeletionProtection
    EncryptionConfig KubeApiServerConfig KubeControllerManagerConfig KubeSchedulerConfig
    KubernetesNetworkConfig Logging OutpostConfig RemoteNetworkConfig StorageConfig Tags
    UpgradePolicy Version ZonalShiftConfig
eks:createFargateProfile s ClusterName! FargateProfileName! PodExecutionRoleArn!
    ClientRequestToken Selectors Subnets Tags
eks:createNodegroup s ClusterName! NodeRole! NodegroupName! Subnets! AmiType CapacityType
    ClientRequestToken DiskSize InstanceTypes Labels LaunchTemplate NodeRepairConfig
    ReleaseVersion RemoteAccess ScalingConfig Tags Taints UpdateConfig Version WarmPoolConfig
eks:deleteCluster s Name!
eks:deleteFargateProfile s ClusterName! FargateProfileName!
eks:deleteNodegroup s ClusterName! NodegroupName!
eks:runJob st CertificateAuthority! ClusterName! Endpoint! Job!= LogOptions= Namespace
elasticmapreduce:addStep s ClusterId! Step! ExecutionRoleArn
elasticmapreduce:cancelStep - ClusterId! StepId! StepCancellationOption
elasticmapreduce:createCluster s Instances! Name! AdditionalInfo AmiVersion Applications
    AutoScalingRole AutoTerminationPolicy BootstrapActions Configurations CustomAmiId
    EbsRootVolumeIops EbsRootVolumeSize EbsRootVolumeThroughput ExtendedSupport JobFlowRole
    KerberosAttributes LogEncryptionKmsKeyId LogUri ManagedScalingPolicy MonitoringConfiguration
    NewSupportedProducts OSReleaseLabel PlacementGroupConfigs ReleaseLabel RepoUpgradeOnBoot
    ScaleDownBehavior SecurityConfiguration ServiceRole SessionEnabled StepConcurrencyLevel
    StepExecutionRoleArn SupportedProducts Tags VisibleToAllUsers
elasticmapreduce:modifyInstanceFleetByName - ClusterId! InstanceFleet! InstanceFleetName!
elasticmapreduce:modifyInstanceGroupByName - ClusterId! InstanceGroup! InstanceGroupName!
elasticmapreduce:setClusterTerminationProtection - ClusterId! TerminationProtected!
elasticmapreduce:terminateCluster s ClusterId!
emr-containers:createVirtualCluster - ContainerProvider! Name! ClientToken
    SchedulerConfiguration SecurityConfigurationId SessionEnabled Tags
emr-containers:deleteVirtualCluster s Id!
emr-containers:startJobRun s VirtualClusterId! ClientToken ConfigurationOverrides
    ExecutionRoleArn JobDriver JobTemplateId JobTemplateParameters Name ReleaseLabel
    RetryPolicyConfiguration Tags
emr-serverless:cancelJobRun s ApplicationId! JobRunId! ShutdownGracePeriodInSeconds
emr-serverless:createApplication s ReleaseLabel! Type! Architecture AutoStartConfiguration
    AutoStopConfiguration ClientToken DiskEncryptionConfiguration IdentityCenterConfiguration
    ImageConfiguration InitialCapacity InteractiveConfiguration
    JobLevelCostAllocationConfiguration MaximumCapacity MonitoringConfiguration Name
    NetworkConfiguration RuntimeConfiguration SchedulerConfiguration Tags
    WorkerTypeSpecifications
emr-serverless:deleteApplication s ApplicationId!
emr-serverless:startApplication s ApplicationId!
emr-serverless:startJobRun s ApplicationId! ExecutionRoleArn! ClientToken ConfigurationOverrides
    ExecutionIamPolicy ExecutionTimeoutMinutes FlexExecution JobDriver Mode Name RetryPolicy
    Tags
emr-serverless:stopApplication s ApplicationId!
events:putEvents t Entries! EndpointId
glue:startJobRun s JobName! AllocatedCapacity Arguments ExecutionClass
    ExecutionRoleSessionPolicy JobRunId JobRunQueuingEnabled MaxCapacity NotificationProperty
    NumberOfWorkers SecurityConfiguration Timeout WorkerType
http:invoke - ApiEndpoint! Method! Authentication!= Headers= InvocationConfig= QueryParameters=
    RequestBody= Transform=
lambda:invoke t FunctionName! ClientContext= DurableExecutionName InvocationType LogType
    Payload= Qualifier TenantId
mediaconvert:createJob s Role! Settings! AccelerationSettings BillingTagsSource
    ClientRequestToken ElementalInferenceSettings HopDestinations JobEngineVersion JobTemplate
    Priority Queue SimulateReservedQueue StatusUpdateInterval Tags UserMetadata
sagemaker:createEndpoint - EndpointConfigName! EndpointName! DeploymentConfig Tags
sagemaker:createEndpointConfig - EndpointConfigName! ProductionVariants! AsyncInferenceConfig
    CrossRegionTrafficConfig DataCaptureConfig EnableNetworkIsolation ExecutionRoleArn
    ExplainerConfig KmsKeyId MetricsConfig ShadowProductionVariants Tags VpcConfig
sagemaker:createHyperParameterTuningJob s HyperParameterTuningJobConfig!
    HyperParameterTuningJobName! Autotune Tags TrainingJobDefinition TrainingJobDefinitions
    WarmStartConfig
sagemaker:createLabelingJob s HumanTaskConfig! InputConfig! LabelAttributeName! LabelingJobName!
    OutputConfig! RoleArn! LabelCategoryConfigS3Uri LabelingJobAlgorithmsConfig
    StoppingConditions Tags
sagemaker:createModel - ModelName! Containers EnableNetworkIsolation ExecutionRoleArn
    InferenceExecutionConfig PrimaryContainer Tags VpcConfig
sagemaker:createProcessingJob s AppSpecification! ProcessingJobName! ProcessingResources!
    RoleArn! Environment ExperimentConfig NetworkConfig ProcessingInputs ProcessingOutputConfig
    StoppingCondition Tags
sagemaker:createTrainingJob s OutputDataConfig! RoleArn! TrainingJobName! AlgorithmSpecification
    CheckpointConfig DebugHookConfig DebugRuleConfigurations
    EnableInterContainerTrafficEncryption EnableManagedSpotTraining EnableNetworkIsolation
    Environment ExperimentConfig HyperParameters InfraCheckConfig InputDataConfig MlflowConfig
    ModelPackageConfig ProfilerConfig ProfilerRuleConfigurations RemoteDebugConfig
    ResourceConfig RetryStrategy ServerlessJobConfig SessionChainingConfig StoppingCondition
    Tags TensorBoardOutputConfig VpcConfig
sagemaker:createTransformJob s ModelName! TransformInput! TransformJobName! TransformOutput!
    TransformResources! BatchStrategy DataCaptureConfig DataProcessing Environment
    ExperimentConfig MaxConcurrentTransforms MaxPayloadInMB ModelClientConfig Tags
sagemaker:updateEndpoint - EndpointConfigName! EndpointName! DeploymentConfig
    ExcludeRetainedVariantProperties RetainAllVariantProperties RetainDeploymentConfig
sns:publish t Message!= MessageAttributes MessageDeduplicationId MessageGroupId MessageStructure
    PhoneNumber Subject TargetArn TopicArn
sqs:sendMessage t QueueUrl! MessageBody!= DelaySeconds MessageAttributes MessageDeduplicationId
    MessageGroupId MessageSystemAttributes
states:startExecution s2t StateMachineArn! Input= Name TraceHeader"""
