"""A template with a private bucket, files, and a distribution over TLS, as our stacks declare them."""

from typing import Any

_OBJECTS = {"Fn::Join": ["", [{"Fn::GetAtt": ["Site", "Arn"]}, "/*"]]}

_POLICY = {
    "Statement": [
        {
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "Action": "s3:*",
            "Resource": _OBJECTS,
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
        {
            "Effect": "Allow",
            "Principal": {"Service": "cloudfront.amazonaws.com"},
            "Action": "s3:GetObject",
            "Resource": _OBJECTS,
            "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:cloudfront::000000000000:distribution/*"}},
        },
    ]
}

_UPLOAD = {
    "ServiceToken": "arn:aws:lambda:us-east-1:000000000000:function:none",
    "SourceBucketNames": ["assets"],
    "SourceObjectKeys": ["site.zip"],
    "SourceMarkers": [{"<TOKEN>": "deployed"}],
    "DestinationBucketName": {"Ref": "Site"},
    "SystemMetadata": {"cache-control": "no-cache"},
}

_INDEX_PAGES = {
    "Name": "index-pages",
    "AutoPublish": True,
    "FunctionCode": (
        "function handler(event) { var r = event.request;"
        " if (r.uri.endsWith('/')) r.uri += 'index.html'; return r; }"
    ),
    "FunctionConfig": {"Comment": "", "Runtime": "cloudfront-js-2.0"},
}

_ACCESS = {
    "OriginAccessControlConfig": {
        "Name": "access",
        "OriginAccessControlOriginType": "s3",
        "SigningBehavior": "always",
        "SigningProtocol": "sigv4",
    }
}

_ORIGIN = {
    "Id": "site",
    "DomainName": {"Fn::GetAtt": ["Site", "RegionalDomainName"]},
    "S3OriginConfig": {"OriginAccessIdentity": ""},
    "OriginAccessControlId": {"Fn::GetAtt": ["Access", "Id"]},
}

_BEHAVIOR = {
    "TargetOriginId": "site",
    "ViewerProtocolPolicy": "redirect-to-https",
    # AWS's managed CachingOptimized.
    "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
    "FunctionAssociations": [
        {"EventType": "viewer-request", "FunctionARN": {"Fn::GetAtt": ["Function", "FunctionARN"]}}
    ],
}

_DISTRIBUTION = {
    "DistributionConfig": {
        "Enabled": True,
        "DefaultRootObject": "index.html",
        "Origins": [_ORIGIN],
        "DefaultCacheBehavior": _BEHAVIOR,
    }
}

RESOURCES: dict[str, Any] = {
    "Site": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "site"}},
    "Policy": {
        "Type": "AWS::S3::BucketPolicy",
        "Properties": {"Bucket": {"Ref": "Site"}, "PolicyDocument": _POLICY},
    },
    "Upload": {"Type": "Custom::CDKBucketDeployment", "Properties": _UPLOAD},
    "Function": {"Type": "AWS::CloudFront::Function", "Properties": _INDEX_PAGES},
    "Access": {"Type": "AWS::CloudFront::OriginAccessControl", "Properties": _ACCESS},
    "Distribution": {"Type": "AWS::CloudFront::Distribution", "Properties": _DISTRIBUTION},
}
